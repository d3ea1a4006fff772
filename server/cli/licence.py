"""`ringfence licence`: packages made and looked at, who holds which licence and why, and changes to a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import licence_packages, licence_questions, licence_store
from .usage import group

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add `licence` and its subcommands to the application."""
    licence = group("Licences: packages, who holds them, why, and what if.")
    for room in (licence_questions, licence_packages, licence_store):
        room.register(licence)
    app.add_typer(licence, name="licence")
