"""`ringfence licence`: who holds which licence, why, and what a change would bring."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...licensing.allocation import allocate
from ...licensing.catalogue import FUNCTIONS
from ...licensing.entitlement import Entitlement
from ...licensing.explain import why
from ...licensing.overview import overview as licence_overview
from ..site import require
from ..site.dealing import service_order
from ..site.directory import Directory
from ..site.problem import closest
from ..site.site import Site, SiteError
from ..site.standing import bought
from ..site.trial import place_named, try_out
from .failure import fail

if TYPE_CHECKING:
    from ..site.holdings import Holdings
    from ..site.trial import Place

_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Licences: who holds them, why, and what if.",
)

SiteFile = Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Packages = Annotated[list[Path] | None, typer.Option("--licence", metavar="FILE", help="A licence package.")]
DataDir = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Read the store in DIR, not a file.")
]


def register(app: typer.Typer) -> None:
    """Add `licence` and its subcommands to the application."""
    app.add_typer(_app, name="licence")


@_app.command()
def overview(
    site: Annotated[Path | None, typer.Argument(metavar="[SITE.toml]", help="The site file.")] = None,
    *,
    data: DataDir = None,
    licence: Packages = None,
    as_json: AsJson = False,
) -> None:
    """Pools, users, locations, channels and warnings."""
    directory, entitlement = _read(site, licence, data)
    subjects = directory.subjects()
    locations = [one.name for one in directory.locations]
    order = service_order(directory.site)
    allocation = allocate(entitlement, subjects, order)
    result = licence_overview(entitlement, allocation, subjects, locations, order=order)
    if as_json:
        _print_json(result)
        return
    from .licence_tables import show_overview

    show_overview(directory.site.server.name, result)


@_app.command()
def explain(
    site: SiteFile,
    user: Annotated[str, typer.Argument(metavar="USER", help="The name of a user.")],
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="A function key, e.g. softphone.")],
    *,
    licence: Packages = None,
    as_json: AsJson = False,
) -> None:
    """Why a user may, or may not, use a function."""
    directory, entitlement = _read(site, licence)
    if directory.by_name(user) is None:
        remedy = closest(user, [one.name for one in directory.users], "use the name of a user")
        fail(f'{site}: the user "{user}" is not there; {remedy}')
    if function not in FUNCTIONS:
        remedy = closest(function, FUNCTIONS, f"use one of {', '.join(FUNCTIONS)}")
        fail(f'the function "{function}" is not known; {remedy}')
    subjects = directory.subjects()
    allocation = allocate(entitlement, subjects, service_order(directory.site))
    result = why(user, function, entitlement, allocation, subjects)
    if as_json:
        _print_json(result.as_dict())
        return
    for sentence in result.sentences():
        typer.echo(sentence)


@_app.command("what-if")
def what_if(
    site: Annotated[Path | None, typer.Argument(metavar="[SITE.toml]", help="The site file.")] = None,
    *,
    add: Annotated[
        list[str] | None, typer.Option(metavar="KEY=N", help="Licences bought, or given back.")
    ] = None,
    move: Annotated[
        list[str] | None, typer.Option(metavar="USER=LOCATION/GROUP", help="A user moved.")
    ] = None,
    data: DataDir = None,
    licence: Packages = None,
    as_json: AsJson = False,
) -> None:
    """What buying licences or moving users would bring, before it is done."""
    directory, entitlement = _read(site, licence, data)
    more: dict[str, int] = {}
    for text in add or []:
        key, count = _addition(text)
        more[key] = more.get(key, 0) + count
    moves = dict(_movement(directory, text) for text in move or [])
    try:
        result = try_out(directory, entitlement, more, moves)
    except require.AdministrationError as error:
        fail(error.sentence)
    if as_json:
        _print_json(result.as_dict())
        return
    from .licence_tables import show_what_if

    show_what_if(result)


def _read(
    site: Path | None, packages: list[Path] | None, data: Path | None = None
) -> tuple[Directory, Entitlement]:
    if packages:
        fail(
            f"--licence {packages[0]}: licence packages are not supported by this version; use [entitlements]"
        )
    if (site is None) == (data is None):
        fail("name either a site file or, with --data, the directory of a store")
    if data is not None:
        held = _stored(data)
        return Directory(held.site), bought(held, datetime.now(UTC).timestamp())
    try:
        found = Site.read(site or Path())
    except SiteError as error:
        fail(str(error))
    return Directory(found), Entitlement(found.entitlements)


def _stored(data: Path) -> Holdings:
    from ..store.failure import StoreError
    from ..store.reading import stored_holdings

    try:
        return stored_holdings(data)
    except StoreError as error:
        fail(str(error))


def _addition(text: str) -> tuple[str, int]:
    key, equals, count = text.partition("=")
    digits = count.removeprefix("-").removeprefix("+")
    if not equals or not (digits.isascii() and digits.isdigit() and len(digits) < 8):
        fail(f'--add "{text}" is not KEY=N; write e.g. --add office_plus=10')
    return key.strip(), int(count)


def _movement(directory: Directory, text: str) -> tuple[str, Place]:
    """`anna=Wien/Partner` or `anna=Wien`."""
    user, equals, place = text.partition("=")
    if not equals or not place:
        fail(f'--move "{text}" is not USER=LOCATION/GROUP; write e.g. --move anna=München/Vertrieb')
    return user, place_named(directory, place)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2).encode())
