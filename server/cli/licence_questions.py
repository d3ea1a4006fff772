"""`ringfence licence overview`, `explain` and `what-if`: questions, which change nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...licensing.explain import why
from ...licensing.lines import Lines
from ...licensing.overview import overview as licence_overview
from ..site import require
from ..site.acts import DeleteUser, MoveUser, SwitchFunctions
from ..site.dealing import service_order
from ..site.trial import place_named, try_out
from .failure import fail, told
from .json_output import print_json
from .licence_file import package_file
from .options import AsJson, Language, LanguageOption, Packages, SiteFile, StoreOption
from .standing import standing_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..site.acts import Act
    from ..site.directory import Directory
    from ..site.trial import Place

LAST_YEAR = 2999


def register(app: typer.Typer) -> None:
    """Add the commands to `licence`."""
    app.command()(overview)
    app.command()(explain)
    app.command("what-if")(what_if)


def overview(
    site: SiteFile = None,
    *,
    data: StoreOption = None,
    licence: Packages = None,
    as_json: AsJson = False,
) -> None:
    """Pools, users, locations, channels, packages and warnings."""
    now = standing_of(site, data, licence)
    directory = now.directory
    result = licence_overview(
        now.entitlement,
        now.allocation,
        directory.subjects(),
        [one.name for one in directory.locations],
        order=service_order(directory.site),
        tolerance=now.tolerance,
        lines=Lines(tuple(one.line for one in now.holdings.lines)),
        teams=directory.site.teams,
    )
    if as_json:
        print_json(result)
        return
    from .licence_tables import show_overview

    show_overview(directory.site.server.name, result)


def explain(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[SITE.toml] USER FUNCTION",
            help="A site file unless --data is given, a user's name, and a function key, e.g. softphone.",
        ),
    ],
    *,
    data: StoreOption = None,
    licence: Packages = None,
    language: LanguageOption = Language.ENGLISH,
    as_json: AsJson = False,
) -> None:
    """Why a user may, or may not, use a function."""
    *files, user, function = words if len(words) > 1 else ("", "", "")
    if len(files) != (data is None):
        fail("name a site file, a user and a function; or, with --data, a user and a function")
    now = standing_of(Path(files[0]) if files else None, data, licence)
    with told():
        require.user(now.directory, user)
        require.function(function)
    subjects = now.directory.subjects()
    result = why(user, function, now.entitlement, now.allocation, subjects, tolerance=now.tolerance)
    if as_json:
        print_json(result.as_dict())
        return
    for sentence in result.sentences(language.value):
        typer.echo(sentence)


def what_if(
    site: SiteFile = None,
    *,
    add: Annotated[
        list[str] | None, typer.Option(metavar="KEY=N", help="Licences bought, or below zero given back.")
    ] = None,
    move: Annotated[
        list[str] | None, typer.Option(metavar="USER=LOCATION/GROUP", help="A user moved.")
    ] = None,
    switch: Annotated[
        list[str] | None,
        typer.Option(metavar="LOCATION[/GROUP]=+KEY,-KEY", help="Functions switched on and off."),
    ] = None,
    delete: Annotated[list[str] | None, typer.Option(metavar="USER", help="A user deleted.")] = None,
    licence: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", readable=False, help="A licence package imported."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="A later moment: what begins and expires until then.")
    ] = None,
    data: StoreOption = None,
    language: LanguageOption = Language.ENGLISH,
    as_json: AsJson = False,
) -> None:
    """What all these changes together would bring, before anything is done."""
    now = standing_of(site, data)
    more: dict[str, int] = {}
    for text in add or []:
        key, count = addition(text)
        more[key] = more.get(key, 0) + count
    acts: list[Act] = [package_file(file) for file in licence or []]
    acts += [MoveUser(user, *place) for user, place in (_movement(now.directory, one) for one in move or [])]
    acts += _switches(now.directory, switch or [])
    acts += [DeleteUser(user) for user in delete or []]
    with told():
        result = try_out(now, *acts, add=more, at=None if at is None else _moment(at))
    if as_json:
        print_json(result.as_dict())
        return
    from .licence_tables import show_what_if

    show_what_if(result, "de" if language is Language.GERMAN else "en")


def addition(text: str) -> tuple[str, int]:
    """Read `office_plus=10`."""
    key, equals, count = text.partition("=")
    digits = count.removeprefix("-").removeprefix("+")
    if not equals or not (digits.isascii() and digits.isdigit() and len(digits) < 8):
        fail(f'--add "{text}" is not KEY=N; write e.g. --add office_plus=10')
    return key.strip(), int(count)


def _movement(directory: "Directory", text: str) -> "tuple[str, Place]":
    """`anna=Wien/Partner` or `anna=Wien`."""
    user, equals, place = text.partition("=")
    if not equals or not place:
        fail(f'--move "{text}" is not USER=LOCATION/GROUP; write e.g. --move anna=München/Vertrieb')
    return user, place_named(directory, place)


def _switches(directory: "Directory", texts: list[str]) -> "Iterator[SwitchFunctions]":
    """`Wien/Partner=+voicemail,-fax` or `Wien=-fax`: a whole list from the one that is there."""
    lists: dict[Place, frozenset[str]] = {}
    for text in texts:
        name, _, keys = text.rpartition("=")
        words = keys.split(",")
        if not name or any(word[:1] not in {"+", "-"} for word in words):
            fail(
                f'--switch "{text}" is not LOCATION[/GROUP]=+KEY,-KEY; write e.g. --switch Wien=+voicemail,-fax'
            )
        place = place_named(directory, name)
        with told():
            require.place(directory, *place)
            for word in words:
                require.function(word[1:])
        on = lists.get(place, directory.functions_at(*place))
        for word in words:
            on = on | {word[1:]} if word.startswith("+") else on - {word[1:]}
        lists[place] = on
    for (location, group), functions in lists.items():
        yield SwitchFunctions(location, group, functions)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f'--at "{text}" is neither a day nor an instant; write e.g. 2027-12-31 or 2027-12-31T18:00:00Z')
    if moment.year > LAST_YEAR:
        fail(f"--at {text} is past the year {LAST_YEAR}; name an earlier moment")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
