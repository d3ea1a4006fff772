"""`ringfence licence import` and `release`: changes to what a store holds, while no server runs on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..site.acts import ReleaseLine
from .licence_file import package_file
from .options import AsJson, DryRun, Store
from .outcome import show_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..site.acts import Act


def register(app: typer.Typer) -> None:
    """Add the commands to `licence`."""
    app.command("import")(import_packages)
    app.command()(release)


def import_packages(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", readable=False, help="Licence packages.")],
    *,
    data: Store,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import licence packages, all of them or none."""
    acts = [package_file(file) for file in files]
    _change(data, acts, "POST /api/v1/licences/packages", dry_run=dry_run, as_json=as_json)


def release(
    line: Annotated[str, typer.Argument(metavar="LINE", help="A telephone line that holds a TAPI licence.")],
    *,
    data: Store,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take the TAPI licence of a line back."""
    route = "DELETE /api/v1/licences/lines/LINE"
    _change(data, [ReleaseLine(line)], route, dry_run=dry_run, as_json=as_json)


def _change(data: Path, acts: "Sequence[Act]", route: str, *, dry_run: bool, as_json: bool) -> None:
    from .held_store import apply

    outcome = apply(data, *acts, route=route, dry_run=dry_run)
    show_outcome(outcome.users, outcome.events, dry_run=dry_run, as_json=as_json)
