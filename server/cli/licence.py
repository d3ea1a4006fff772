"""`ringfence licence`: packages made and looked at, who holds which licence and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import licence_packages, licence_questions
from .usage import group

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add `licence` and its subcommands to the application."""
    licence = group("Licences: packages, who holds them, why, and what if.")
    for room in (licence_questions, licence_packages):
        room.register(licence)
    app.add_typer(licence, name="licence")
