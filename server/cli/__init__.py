"""The `ringfence` command. A subcommand's module is imported only when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer.core import TyperCommand

_MODULES = {"licence": ".licence"}
"""Command name -> the module here that holds it, as a `typer.Typer` called `app`."""


class _Commands(TyperGroup):
    """Looks commands up by name and imports only the one that is called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:
        if cmd_name not in _MODULES:
            return None
        return get_command(import_module(_MODULES[cmd_name], __name__).app)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A telephony server for test suites, in which every function is gated by licences.",
)


@app.callback()
def _ringfence() -> None:
    """A telephony server for test suites, in which every function is gated by licences."""


def main() -> None:
    """Run the command line."""
    app()
