"""The demonstration as tables for a person's eyes; imported only when nobody asked for JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .licence_tables import pools_table

if TYPE_CHECKING:
    from ..demo.invitation import Invitation
    from ..demo.outcome import Performance
    from ..phones.refused import Refused

WIDTH_OF_A_FILE = 120
LONGEST_REASON = len("license.office_plus.under_licensed")


def show(performance: Performance) -> None:
    """Print what happened, the licences afterwards, and why somebody was refused."""
    console = _console()
    table = Table(
        title=f"What happened at {escape(performance.company)}", title_justify="left", show_lines=True
    )
    for heading in ("", "Scene", "Expected"):
        table.add_column(heading)
    table.add_column("What happened", min_width=LONGEST_REASON)
    for one in performance.outcomes:
        happened = escape(one.happened)
        if one.refused is not None:
            happened += f"\n[bold]{escape(_line(one.refused))}[/]"
        mark = "[green]✓[/]" if one.as_expected else "[red]✗[/]"
        table.add_row(mark, one.scene, escape(one.expected), happened)
    console.print(table)
    console.print(pools_table(performance.company, performance.licences))
    if performance.explanation is not None:
        explanation = performance.explanation
        console.print(f"Why was the {escape(explanation.what)} refused? Decision {explanation.decision}:")
        *steps, verdict = map(escape, explanation.sentences)
        for number, step in enumerate(steps, 1):
            console.print(f"  {number}. {step}")
        console.print(f"  [bold]{verdict}[/]")
    scenes, failed = len(performance.outcomes), len(performance.failed)
    sentence = (
        f"{failed} of {scenes} scenes came out otherwise"
        if failed
        else f"All {scenes} scenes came out as expected"
    )
    console.print(f"{sentence}, in {performance.duration_s:.1f} s.")


def show_invitation(invitation: Invitation) -> None:
    """Print where to point a phone, as whom, and what to try."""
    console = _console()
    seats = Table(title=f"Point a phone at {invitation.sip} (UDP)", title_justify="left")
    for heading in ("Account", "Password", "What it is"):
        seats.add_column(heading)
    for seat in invitation.seats:
        seats.add_row(escape(f"{seat.account}@{invitation.domain}"), escape(seat.password), escape(seat.what))
    numbers = Table(title="Numbers to try", title_justify="left")
    for heading in ("Number", "What it does"):
        numbers.add_column(heading)
    for number, what in invitation.numbers.items():
        numbers.add_row(escape(number), escape(what))
    console.print(seats, numbers)
    console.print(f"HTTP: {invitation.http}, the administrator's token is {invitation.token}", soft_wrap=True)
    console.print("Ctrl+C ends it.")


def _line(refused: Refused) -> str:
    parts = (
        f"SIP {refused.status}",
        refused.cause is not None and f"Q.850 cause {refused.cause}",
        refused.reason,
        refused.decision,
    )
    return ", ".join(part for part in parts if part)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE, highlight=False)
