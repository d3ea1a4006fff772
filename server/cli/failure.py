"""How a command gives up: one sentence on standard error, exit 2."""

from __future__ import annotations

from typing import NoReturn

import typer

EXIT_USAGE = 2


def fail(sentence: str) -> NoReturn:
    """Say why in one sentence and end the command."""
    typer.echo(f"ringfence: {' '.join(sentence.split())}", err=True)
    raise typer.Exit(EXIT_USAGE)
