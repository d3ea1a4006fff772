"""How the commands are grouped, and how a wrong command line ends: one sentence on standard error, exit 2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from .failure import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
"""What every wrong command line raises; typer itself names only this one kind of it."""


class Commands(TyperGroup):
    """A group that tells what is wrong with a command line without printing how all of it is used."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read what stands before the command."""
        with _one_sentence():
            return super().make_context(*arguments, **options)

    def invoke(self, *arguments: Any, **options: Any) -> Any:
        """Find the command, read what stands after it, and run it."""
        with _one_sentence():
            return super().invoke(*arguments, **options)


def group(text: str | None = None) -> typer.Typer:
    """A group of commands; `text` is its help."""
    return typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=text,
    )


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except _USAGE_ERROR as error:
        message = error.format_message()
        if message.startswith("Usage:"):  # nothing was called for: this is the help
            raise
        command = error.ctx.command_path if error.ctx is not None else "ringfence"
        fail(f"{message.rstrip('.')}; {command} --help tells what there is")
