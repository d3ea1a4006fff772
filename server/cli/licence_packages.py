"""`ringfence licence keygen`, `issue` and `verify`: licence packages made and looked at, away from any server."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ...licensing.entitlement import Entitlement
from ...licensing.keys import generate_key, key_id, trusted_keys
from ...licensing.overview import package_shown
from ...licensing.package import Package, PackageError, read, verify
from ...licensing.package import issue as issue_package
from .failure import fail, told
from .json_output import print_json
from .licence_file import DEVELOPER, package_file, private_key, public_key
from .licence_questions import addition
from .options import AsJson


def register(app: typer.Typer) -> None:
    """Add the commands to `licence`."""
    app.command()(keygen)
    app.command()(issue)
    app.command("verify")(verify_package)


def keygen(
    file: Annotated[
        Path, typer.Argument(metavar="KEYFILE", help="The private key; KEYFILE.pub is the public.")
    ],
) -> None:
    """Make a key to issue packages with; files that are there stay as they are."""
    pair = generate_key(secrets.token_bytes(32))
    public = file.with_name(f"{file.name}.pub")
    if os.path.lexists(public):
        fail(f"{public} is there already and is kept; name another file")
    _write(file, f"{pair.private}\n".encode(), 0o600)
    _write(public, f"{pair.public}\n".encode(), 0o644)
    typer.echo(f"{file} signs packages and stays secret; a site that is to trust them has under [licensing]")
    typer.echo(f'trusted_keys = ["{pair.public}"]')


def issue(
    *,
    key: Annotated[str, typer.Option(metavar="KEYFILE", help=f'A private key, or "{DEVELOPER}".')],
    add: Annotated[list[str], typer.Option(metavar="KEY=N", help="So many of a licence.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The package to write.")],
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last day; absent: no end.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day; absent: today.")
    ] = None,
    customer: Annotated[str, typer.Option(metavar="NAME", help="Who has bought it.")] = "unnamed customer",
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="Absent: a random one.")] = None,
) -> None:
    """Sign a licence package."""
    licences: dict[str, int] = {}
    for text in add:
        name, count = addition(text)
        licences[name] = licences.get(name, 0) + count
    today = datetime.now(UTC).date().isoformat()
    try:
        data = issue_package(
            private_key(key),
            id=id_ or f"{today}-{secrets.token_hex(4)}",
            customer=customer,
            licences=licences,
            issued=today,
            not_before=from_,
            not_after=until,
        )
    except PackageError as error:
        fail(f"no package can be issued like this: {error.what}; correct the options")
    except ValueError as error:
        fail(f"--key {key}: {error}; ringfence licence keygen makes one")
    _require_replaceable(out)
    _write(out, data, 0o644, new=False)
    typer.echo(_told(read(data)))


def verify_package(
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="The package.")],
    *,
    trust: Annotated[
        list[str] | None,
        typer.Option(metavar="KEYFILE.pub", help="The issuer's key; absent: the developer key."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a package holds; exit 2 for one that does not count now."""
    act, now = package_file(file), datetime.now(UTC)
    with told():
        package = _verified(act.data, str(file), tuple(public_key(one) for one in trust or ()), now)
    if as_json:
        print_json(package_shown(package, Entitlement.of({}, [package], now)))
        return
    typer.echo(_told(package))


def _verified(data: bytes, file: str, keys: tuple[str, ...], now: datetime) -> Package:
    try:
        package, trusted = read(data), trusted_keys(keys)
        if package.key not in map(key_id, trusted):
            what = f"The package {package.id} is signed by the key {package.key}, which is not trusted"
            fail(f"{file}: {what}; give the issuer's public key by --trust")
        verify(package, trusted, now)
    except PackageError as error:
        raise error.about(file) from None
    except ValueError as error:
        fail(f"--trust: {error}; the issuer has it in a .pub file")
    return package


def _require_replaceable(out: Path) -> None:
    """A package may be issued anew; whatever else is there, a key above all, stays."""
    if out.is_file():
        try:
            read(package_file(out).data)
        except PackageError:
            fail(f"{out} is there already and is no licence package; name another file")


def _write(file: Path, data: bytes, mode: int, *, new: bool = True) -> None:
    """Write a file, which with `new` may not be there yet."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
        with os.fdopen(os.open(file, flags, mode), "wb") as opened:
            opened.write(data)
    except FileExistsError:
        fail(f"{file} is there already and is kept; name another file")
    except OSError as error:
        fail(f"{file} cannot be written ({error.strerror}); name a file that can be")


def _told(package: Package) -> str:
    held = ", ".join(f"{count} {key}" for key, count in package.licences.items())
    until = "without an end" if package.not_after is None else f"until {package.not_after}"
    signer = "the developer key, as anybody can" if package.developer else f"the key {package.key}"
    whose = f"Package {package.id} for {package.customer}"
    return f"{whose}: {held}, from {package.not_before} on, {until}; signed by {signer}."
