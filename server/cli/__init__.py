"""The `ringfence` command. A subcommand's module is imported only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from .usage import group

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

_MODULES = {
    "demo": ".demo",
    "serve": ".serve",
    "doctor": ".doctor",
    "licence": ".licence",
    "token": ".token",
    "audit": ".audit",
}
"""Command name -> the module here that holds it; its `register(app)` adds the command to the application."""


def application(words: Sequence[str]) -> typer.Typer:
    """The application for a command line, without the program's name: the command called, or all for help."""
    app = group()
    app.callback()(_ringfence)
    called = [name for name in words[:1] if name in _MODULES]
    for name in called or _MODULES:
        import_module(_MODULES[name], __name__).register(app)
    return app


def main() -> None:
    """Run the command line."""
    application(sys.argv[1:])()


def _ringfence() -> None:
    """A telephony server for test suites, in which every function is gated by licences."""
