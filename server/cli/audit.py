"""`ringfence audit`: whether the audit log is whole, and its export."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ..store import audit
from ..store.failure import StoreError
from ..store.reading import read
from .failure import fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

T = TypeVar("T")

_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The audit log: what was changed, when and by whom.",
)

DataDir = Annotated[Path, typer.Option(metavar="DIR", help="The directory that was given to serve --data.")]


class Form(StrEnum):
    """In what form the log is printed."""

    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add `audit` and its subcommands to the application."""
    app.add_typer(_app, name="audit")


@_app.command()
def verify(data: DataDir) -> None:
    """Go through the whole chain; exit 2 with the first broken link."""
    broken, written = _read(data, lambda connection: (audit.verify(connection), audit.head(connection)[0]))
    if broken is not None:
        fail(f"{data}: the audit log is broken at row {broken.seq}: {broken.what}; compare it with an export")
    typer.echo(f"The audit log is whole: {written} rows.")


@_app.command()
def export(
    data: DataDir, form: Annotated[Form, typer.Option("--format", help="CSV, or a JSON array.")] = Form.CSV
) -> None:
    """Print the log, whether it is whole or not."""

    def out(connection: Connection) -> None:
        for line in audit.export(connection, form.value):
            sys.stdout.buffer.write(line.encode())

    _read(data, out)


def _read(data: Path, work: Callable[[Connection], T]) -> T:
    try:
        return read(data, work)
    except StoreError as error:
        fail(str(error))
