"""What a change brought, or would bring: in words for a person, as JSON for a program, dry run or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ...licensing.catalogue import LICENCES
from ...licensing.what_if import sentences
from ..event_form import name_of, values_of
from ..site.events import EntitlementChanged
from .json_output import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...licensing.what_if import UserChange


def show_outcome(
    users: Sequence[UserChange], events: Sequence[object], *, dry_run: bool, as_json: bool
) -> None:
    """Print who gains and loses what, which settings go, and what is bought then."""
    if as_json:
        told = [{"event": name_of(one), "data": values_of(one)} for one in events]
        print_json({"dry_run": dry_run, "users": [one.as_dict() for one in users], "events": told})
        return
    for event in events:
        if isinstance(event, EntitlementChanged):
            typer.echo(f"{LICENCES[event.licence].title}: bought {event.before} → {event.after}.")
    for sentence in sentences(users):
        typer.echo(sentence)
    if dry_run:
        typer.echo("This was a dry run: nothing was changed.")
