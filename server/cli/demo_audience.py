"""How somebody follows the demonstration: a moving display on a terminal, lines elsewhere, nothing beside JSON."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.progress import Progress

    from ..demo.outcome import Outcome
    from ..demo.play import Audience
    from ..demo.scenes import Scene


class Silent:
    """Shows nothing."""

    def began(self, scene: Scene) -> None:
        """A scene begins."""

    def ended(self, outcome: Outcome) -> None:
        """A scene is over."""


class Lines:
    """A line when a scene begins and one when it is over."""

    def began(self, scene: Scene) -> None:
        """A scene begins."""
        typer.echo(f"{scene.title} …")

    def ended(self, outcome: Outcome) -> None:
        """A scene is over."""
        typer.echo(f"{outcome.scene}: {'as expected' if outcome.as_expected else f'NOT {outcome.expected}'}")


class Display:
    """A row for each scene, which moves while it is played."""

    def __init__(self, progress: Progress, scenes: Sequence[Scene]) -> None:
        self.progress = progress
        self._rows = {
            scene.title: progress.add_task(scene.title, start=False, total=1, mark=" ") for scene in scenes
        }

    def began(self, scene: Scene) -> None:
        """A scene begins."""
        self.progress.start_task(self._rows[scene.title])

    def ended(self, outcome: Outcome) -> None:
        """A scene is over."""
        mark = "[green]✓[/]" if outcome.as_expected else "[red]✗[/]"
        self.progress.update(self._rows[outcome.scene], completed=1, mark=mark)


@contextmanager
def watching(scenes: Sequence[Scene], *, quiet: bool) -> Iterator[Audience]:
    """Give the audience for the scenes: whoever sits before standard output, or with `quiet` nobody."""
    if quiet:
        yield Silent()
    elif not sys.stdout.isatty():
        yield Lines()
    else:
        from rich.console import Console

        with scene_rows(Console(), scenes) as display:
            yield display


@contextmanager
def scene_rows(console: Console, scenes: Sequence[Scene]) -> Iterator[Display]:
    """Show a row for each scene, and take the rows away in the end."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[mark]}"),
        TextColumn("{task.description}"),
        SpinnerColumn("simpleDotsScrolling", finished_text="   "),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Display(progress, scenes)
