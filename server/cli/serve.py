"""`ringfence serve`: one server in the foreground, until SIGTERM or SIGINT.

What can be wrong with options, site file, ports and store is told in one sentence before anything is started.
"""

import asyncio
import gc
import json
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failure import fail, told
from .logs import LogLevel, configure
from .options import (
    HOST,
    HTTP_PORT,
    RTP_PORTS,
    SIP_PORT,
    SIPS_PORT,
    Host,
    HttpPort,
    RtpPorts,
    SipPort,
    SipsPort,
    TlsCertificate,
    TlsKey,
    port_option,
)
from .ports import is_loopback, require_free, require_ports, rtp_range
from .tls_files import require_pair

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from ssl import SSLContext

    from ..app import Options, Pbx
    from ..site.acts import ImportPackage
    from ..site.merge import Merge
    from ..site.site import Site

SAMPLE = "musterfirma.toml"


def register(app: typer.Typer) -> None:
    """Add `serve` to the application."""
    app.command()(serve)


def serve(
    site: Annotated[
        Path | None,
        typer.Argument(
            metavar="SITE.toml", readable=False, help="The site file; without one, a sample company."
        ),
    ] = None,
    *,
    host: Host = HOST,
    sip_port: SipPort = SIP_PORT,
    sips_port: SipsPort = SIPS_PORT,
    http_port: HttpPort = HTTP_PORT,
    csta_port: Annotated[int, port_option("CSTA; not served by this version.")] = 4721,
    smtp_port: Annotated[int, port_option("Mail in; not served by this version.")] = 2533,
    tls_cert: TlsCertificate = None,
    tls_key: TlsKey = None,
    rtp_ports: RtpPorts = RTP_PORTS,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the state in DIR.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Not supported by this version.")
    ] = None,
    licence: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", readable=False, help="Import this licence package, checked."),
    ] = None,
    admin_token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="The token for HTTP; without one, a random one.")
    ] = None,
    apply_site: Annotated[
        bool, typer.Option("--apply-site", help="Merge a site file that differs from the one in --data.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what the start would change in --data, and do not start.")
    ] = False,
    log_level: Annotated[LogLevel, typer.Option(help="What to log to standard error.")] = LogLevel.WARNING,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready event as a line of JSON.")] = False,
) -> None:
    """Serve a site: phones register by SIP, administrators come by HTTP."""
    require_ports(sip=sip_port, sips=sips_port, http=http_port, csta=csta_port, smtp=smtp_port)
    if database is not None:
        fail("--database is not supported by this version; keep the state in a directory by --data")
    if admin_token is not None and re.fullmatch("[!-~]+", admin_token) is None:
        fail("--admin-token must be of visible ASCII characters without spaces; give another one")
    if admin_token is None and not is_loopback(host):
        fail(f"--host {host} is reached from other machines; give the administrator's token by --admin-token")
    ports = rtp_range(rtp_ports)
    gc.disable()  # nothing that is imported becomes garbage; see `server.garbage`
    configure(log_level)
    packages = _packages(licence)
    found = _read(site, data)
    if dry_run or packages:
        _foretell(found, data, packages, apply_site=apply_site, dry_run=dry_run, as_json=as_json)
    if dry_run:
        return
    require_free(host, sip_port, (socket.SOCK_DGRAM, socket.SOCK_STREAM), "--sip-port")
    require_free(host, sips_port, (socket.SOCK_STREAM,), "--sips-port")
    require_free(host, http_port, (socket.SOCK_STREAM,), "--http-port")
    _raise_file_limit()
    from ..app import Options

    options = Options(
        host=host,
        sip_port=sip_port,
        sips_port=sips_port,
        tls=_tls(tls_cert, tls_key),
        http_port=http_port,
        rtp_ports=ports,
        data_dir=data,
        apply_site=apply_site,
        packages=packages,
        token=admin_token,
        announce=_tell_merge,
    )
    _run(_serve(found, options, log_level, as_json=as_json, by_itself=site is None))


def _tls(certificate: Path | None, key: Path | None) -> "Callable[[], Awaitable[SSLContext]] | None":
    """The certificate that was given, read; None for an own one."""
    files = require_pair(certificate, key)
    if files is None:
        return None
    from ..net.certificate import CertificateError, given, server_context

    try:
        return given(server_context(*files))
    except CertificateError as error:
        fail(str(error))


def _read(site: Path | None, data: Path | None) -> "Site | None":
    """The site to serve: the file; without one the store's (None), where there is a store; else the sample company."""
    from ..site.site import Site, SiteError

    try:
        if site is not None:
            return Site.read(site)
        if data is not None and data.exists() and any(data.iterdir()):
            return None
        return Site.sample()
    except SiteError as error:
        fail(str(error))
    except OSError as error:
        fail(f"--data {data} cannot be read ({error.strerror}); name a directory that can be written")


def _packages(files: list[Path] | None) -> "tuple[ImportPackage, ...]":
    if not files:
        return ()
    from .licence_file import package_file

    return tuple(map(package_file, files))


def _foretell(
    site: "Site | None",
    data: Path | None,
    packages: "tuple[ImportPackage, ...]",
    *,
    apply_site: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show what the start would write; without `dry_run` only make sure that a new store would take the packages."""
    import time

    from ..store.opening import Opening
    from ..store.reading import foretell
    from ..store.store import DATABASE

    if dry_run and data is None:
        fail("--dry-run tells what a start would change in a store; name its directory by --data")
    if not dry_run and data is not None and (data / DATABASE).exists():
        return  # asked on opening, in the transaction of all that it changes
    opening = Opening(site, time.time(), apply_site, packages, _tell_merge)
    with told():
        outcome = foretell(data, opening)
    if dry_run:
        from .outcome import show_outcome

        users, events = ((), ()) if outcome is None else (outcome.users, outcome.events)
        show_outcome(users, events, dry_run=True, as_json=as_json)


async def _serve(
    site: "Site | None", options: "Options", log_level: LogLevel, *, as_json: bool, by_itself: bool
) -> None:
    from ..app import Pbx
    from ..garbage import collect_when_idle

    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    try:
        with told():
            pbx = await Pbx.start(site, options)
    except OSError as error:
        fail(f"the server cannot be started ({error.strerror or error}); name other ports or another --host")
    try:
        if log_level.number <= LogLevel.INFO.number:
            from .event_log import follow

            follow(pbx.stream)
        collecting = asyncio.create_task(collect_when_idle())
        if options.rtp_ports is not None:
            from .doctor import too_few_ports

            for _, sentence in too_few_ports(options.rtp_ports, pbx.administration.entitlement.ip_channels):
                typer.echo(sentence, err=True)
        _tell_ready(pbx, as_json=as_json, accounts=by_itself and pbx.site.source == SAMPLE)
        await over.wait()
        collecting.cancel()
    finally:
        await pbx.stop()


def _tell_ready(pbx: "Pbx", *, as_json: bool, accounts: bool) -> None:
    if as_json:
        ready = {
            "event": "ready",
            "sip": str(pbx.sip),
            "sips": str(pbx.sips),
            "http": pbx.http,
            "csta": None,
            "smtp": None,
        }
        typer.echo(json.dumps({**ready, "token": pbx.token}))
        return
    if accounts:
        from .accounts import show_accounts

        show_accounts(pbx.site)
    typer.echo(
        f"{pbx.site.server.name} is served: SIP at {pbx.sip} (UDP, TCP) and {pbx.sips} (TLS), HTTP at {pbx.http}"
    )
    if pbx.administration.entitlement.developer:
        typer.echo("Licences signed by the developer key count here; anybody can sign with it.")
    typer.echo(f"The administrator's token is {pbx.token}; Ctrl+C ends the server.")


def _tell_merge(merge: "Merge") -> None:
    """Say on standard error what `--apply-site` changes, what L-06 deletes first."""
    for one in merge.deletions:
        typer.echo(
            f"deleted: {', '.join(one.settings)} of {one.user}, who has no {one.function} any more", err=True
        )
    for what, names in (("added", merge.added), ("changed", merge.changed), ("kept", merge.kept)):
        if names:
            typer.echo(f"{what}: {', '.join(names)}", err=True)


def _run(main: "Coroutine[None, None, None]") -> None:
    try:
        from uvloop import new_event_loop
    except ImportError:
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main)


def _raise_file_limit() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
