"""`ringfence audit`: whether the audit log is whole, and its export."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ..store import audit
from ..store.reading import read
from .failure import fail, told
from .options import Store
from .usage import group

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

T = TypeVar("T")

_app = group("The audit log: what was changed, when and by whom.")


class Form(StrEnum):
    """In what form the log is printed."""

    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add `audit` and its subcommands to the application."""
    app.add_typer(_app, name="audit")


@_app.command()
def verify(data: Store) -> None:
    """Go through the whole chain; exit 2 with the first broken link."""
    broken, written = _read(data, lambda connection: (audit.verify(connection), audit.head(connection)[0]))
    if broken is not None:
        fail(f"{data}: the audit log is broken at row {broken.seq}: {broken.what}; compare it with an export")
    typer.echo(f"The audit log is whole: {written} rows.")


@_app.command()
def export(
    data: Store, form: Annotated[Form, typer.Option("--format", help="CSV, or a JSON array.")] = Form.CSV
) -> None:
    """Print the log, whether it is whole or not."""

    def out(connection: "Connection") -> None:
        for line in audit.export(connection, form.value):
            sys.stdout.buffer.write(line.encode())

    _read(data, out)


def _read(data: Path, work: "Callable[[Connection], T]") -> T:
    with told():
        return read(data, work)
