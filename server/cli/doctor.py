"""`ringfence doctor`: would `serve` with these options find what it needs on this machine?

It starts nothing and writes nothing. Each thing that is wrong costs one sentence, with the remedy.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import typer

from .json_output import print_json
from .options import (
    HOST,
    HTTP_PORT,
    RTP_PORTS,
    SIP_PORT,
    SIPS_PORT,
    AsJson,
    Host,
    HttpPort,
    Packages,
    RtpPorts,
    SipPort,
    SipsPort,
    SiteFile,
    StoreOption,
    TlsCertificate,
    TlsKey,
)
from .ports import require_ports, rtp_range, what_is_wrong
from .tls_files import require_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..site.site import Trunk
    from ..site.standing import Standing

    Finding = tuple[str, str]

EXIT_FOUND = 1
RMEM_MAX = Path("/proc/sys/net/core/rmem_max")
OTHER_FILES = 256
"""Files that a process has open besides connections and RTP sockets, generously."""
SOON = timedelta(days=14)


def register(app: typer.Typer) -> None:
    """Add `doctor` to the application."""
    app.command()(doctor)


def doctor(
    site: SiteFile = None,
    *,
    host: Host = HOST,
    sip_port: SipPort = SIP_PORT,
    sips_port: SipsPort = SIPS_PORT,
    http_port: HttpPort = HTTP_PORT,
    tls_cert: TlsCertificate = None,
    tls_key: TlsKey = None,
    rtp_ports: RtpPorts = RTP_PORTS,
    data: StoreOption = None,
    licence: Packages = None,
    as_json: AsJson = False,
) -> None:
    """Look for what would keep a server from working well on this machine; exit 1 if there is something."""
    require_ports(sip=sip_port, sips=sips_port, http=http_port)
    media = rtp_range(rtp_ports)
    files = require_pair(tls_cert, tls_key)
    now = _standing(site, data, licence)
    channels = now.entitlement.ip_channels
    findings = [
        *ports_in_use(host, sip_port, sips_port, http_port),
        *too_few_ports(media, channels),
        *too_few_files(_most_files(), channels),
        *too_small_buffers(_largest_buffer()),
        *bad_certificate(files, data),
        *lost_trunks(now.directory.site.trunks, host),
    ]
    if as_json:
        print_json([{"check": check, "sentence": sentence} for check, sentence in findings])
    for _, sentence in () if as_json else findings:
        typer.echo(sentence)
    if findings:
        raise typer.Exit(EXIT_FOUND)
    if not as_json:
        typer.echo(f"Nothing is in the way of a server with {channels} IP channels at {host}.")


def ports_in_use(host: str, sip_port: int, sips_port: int, http_port: int) -> Iterator[Finding]:
    """Whatever `serve` could not open."""
    for port, kinds, option in (
        (sip_port, (socket.SOCK_DGRAM, socket.SOCK_STREAM), "--sip-port"),
        (sips_port, (socket.SOCK_STREAM,), "--sips-port"),
        (http_port, (socket.SOCK_STREAM,), "--http-port"),
    ):
        sentence = what_is_wrong(host, port, kinds, option)
        if sentence is not None:
            yield "port", f"{sentence[0].upper()}{sentence[1:]}."


def too_few_ports(ports: range, channels: int) -> Iterator[Finding]:
    """RTP takes an even port for each leg (RFC 3550 11)."""
    even = len([port for port in ports if port % 2 == 0])
    if even < channels:
        sentence = (
            f"--rtp-ports has {even} even ports and the licences have {channels} IP channels; "
            f"give a range of at least {2 * channels} ports."
        )
        yield "rtp_ports", sentence


def too_few_files(most: int | None, channels: int) -> Iterator[Finding]:
    """Each connection and each socket of RTP or RTCP is an open file; `most` None is no limit."""
    from ..api.sip_socket import MOST_SOCKETS
    from ..net.streams import StreamLimits

    wanted = max(StreamLimits().connections + MOST_SOCKETS, 2 * channels) + OTHER_FILES
    if most is not None and most < wanted:
        sentence = (
            f"A process may have at most {most} files open here, and {wanted} may be needed for connections; "
            f"raise the hard limit, e.g. by ulimit -Hn {wanted} or LimitNOFILE={wanted} of the unit."
        )
        yield "file_limit", sentence


def too_small_buffers(largest: int | None) -> Iterator[Finding]:
    """In a burst of calls datagrams wait in the kernel; `largest` None is a system that does not say."""
    from ..net.udp import RECEIVE_BUFFER_BYTES

    if largest is not None and largest < RECEIVE_BUFFER_BYTES:
        sentence = (
            f"The kernel keeps at most {largest} bytes for a socket, and a burst of calls may bring "
            f"{RECEIVE_BUFFER_BYTES}; raise that by sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}."
        )
        yield "receive_buffer", sentence


def bad_certificate(files: tuple[Path, Path] | None, data: Path | None) -> Iterator[Finding]:
    """The certificate for TLS, given or kept in the store: it has to be readable, and to last."""
    from ..net.certificate import CERTIFICATE, KEY, CertificateError, server_context

    if files is not None:
        remedy = "give another by --tls-cert and --tls-key"
    elif data is not None and (data / CERTIFICATE).exists():
        files, remedy = (data / CERTIFICATE, data / KEY), "delete it, and the next start makes a new one"
    else:
        return
    try:
        server_context(*files)
    except CertificateError as error:
        yield "certificate", f"{error}."
        return
    from cryptography import x509

    ends = x509.load_pem_x509_certificate(files[0].read_bytes()).not_valid_after_utc
    if ends < datetime.now(UTC) + SOON:
        yield "certificate", f"{files[0]} is valid until {ends:%Y-%m-%d %H:%M} UTC only; {remedy}."


def lost_trunks(trunks: tuple[Trunk, ...], host: str) -> Iterator[Finding]:
    """Trunks whose name leads nowhere (RFC 3263 4)."""
    for trunk, why in asyncio.run(_not_located(trunks, host)).items():
        sentence = f'The trunk "{trunk}" is found nowhere: {why}; check its uri and the DNS of this machine.'
        yield "trunk", sentence


async def _not_located(trunks: tuple[Trunk, ...], host: str) -> dict[str, str]:
    from ..net.dns_records import DnsRecords
    from ..sip.locating import Locator, NotLocatedError

    locator = Locator(DnsRecords(host), Random())  # noqa: S311 - nothing is sent to where it leads
    found = {}
    for trunk in trunks:
        try:
            if trunk.uri is not None:
                await locator.locate(trunk.uri)
        except NotLocatedError as error:
            found[trunk.name] = str(error)
    return found


def _standing(site: Path | None, data: Path | None, licence: list[Path] | None) -> Standing:
    from .standing import standing_of, standing_of_sample

    return standing_of_sample(licence) if site is None and data is None else standing_of(site, data, licence)


def _most_files() -> int | None:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if hard == resource.RLIM_INFINITY else hard


def _largest_buffer() -> int | None:
    try:
        return int(RMEM_MAX.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
