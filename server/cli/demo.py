"""`ringfence demo`: the sample company on free ports, seven scenes with real calls, and a table of what happened.

Exit 0 only if every scene came out as expected, else 1 with the first one that did not.
"""

import asyncio
import json
import signal
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .failure import fail
from .logs import LogLevel, configure

if TYPE_CHECKING:
    from ..demo.outcome import Performance

EXIT_UNEXPECTED = 1


def register(app: typer.Typer) -> None:
    """Add `demo` to the application."""
    app.command()(demo)


def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running and say where to point a phone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Draw the same random numbers again.")] = None,
) -> None:
    """Watch a telephone system at work: calls that are answered, refused and explained."""
    configure(LogLevel.WARNING)
    judge(asyncio.run(_demo(seed, keep=keep, as_json=as_json)))


def judge(performance: "Performance") -> None:
    """End the command with exit 1 and the first scene that did not come out as expected, if there is one."""
    for outcome in performance.failed[:1]:
        typer.echo(
            f"ringfence: {outcome.scene}: expected {outcome.expected}, but {outcome.happened}", err=True
        )
        raise typer.Exit(EXIT_UNEXPECTED)


async def _demo(seed: int | None, *, keep: bool, as_json: bool) -> "Performance":
    from ..app import Options
    from ..demo.cast import CastError
    from ..demo.company import Company
    from ..demo.invitation import invite
    from ..demo.play import play
    from ..demo.scenes import ACTS
    from ..site.site import Site
    from .demo_audience import watching

    try:
        company = await Company.start(Site.sample(), Options(http_port=0 if keep else None, seed=seed))
    except (CastError, OSError) as error:
        fail(f"the sample company cannot be started: {error}")
    try:
        with watching([scene for act in ACTS for scene in act], quiet=as_json) as audience:
            performance = await play(company, audience)
        over = _interruption() if keep else None
        if as_json:
            told = performance.as_dict() | ({"keep": asdict(invite(company))} if keep else {})
            typer.echo(json.dumps(told, ensure_ascii=False, indent=2).encode())
        else:
            from .demo_tables import show, show_invitation

            show(performance)
            if keep:
                show_invitation(invite(company))
        if over is not None:
            await over.wait()
        return performance
    finally:
        await company.stop()


def _interruption() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set from now on, instead of ending the process."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    return over
