"""What a change would bring, as `?dry_run=true` answers it: nothing has been changed then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...licensing.what_if import UserChange  # noqa: TC001 - pydantic reads the shapes
from ..event_form import name_of, values_of
from ..site.events import LicenceDisplaced
from .rights import sees, sees_location, within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ..app import Pbx
    from ..site.acts import Act
    from ..site.directory import Directory
    from ..site.events import SiteEvent
    from ..site.outcome import Outcome
    from ..store.tokens import Token


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Something that would be told on the event stream and in the audit log."""

    event: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Changes:
    """`users` are those to whom the change means something; `events` is all that would come of it."""

    users: tuple[UserChange, ...]
    events: tuple[EventEntry, ...]


async def carry_out(
    pbx: Pbx, who: Token, *acts: Act, dry_run: bool, about: str | None = None
) -> Outcome | Changes:
    """Carry out `acts` in the name and within the locations of `who`; a dry run tells what would change.

    `about` is the user whom alone they concern, if they do.
    """
    before, reach = pbx.administration.directory, within(who, about)
    outcome = await pbx.administration.apply(*acts, actor=who.name, within=reach, dry_run=dry_run)
    return _changes(outcome, who, before) if dry_run else outcome


def told(*events: object) -> tuple[EventEntry, ...]:
    """The events as they would be told."""
    return tuple(EventEntry(name_of(event), values_of(event)) for event in events)


def _changes(outcome: Outcome, who: Token, before: Directory) -> Changes:
    """What a dry run came to, as far as `who` may see it: a sub-administrator his own users and places (L-62)."""
    if who.kind == "administrator":
        return Changes(outcome.users, told(*outcome.events))
    sides = (before, outcome.after.directory)
    names = {user.name for side in sides for user in side.users if sees(who, user)}
    users = tuple(one for one in outcome.users if one.user in names)
    return Changes(users, told(*_seen(outcome.events, who, names)))


def _seen(events: Iterable[SiteEvent], who: Token, names: Collection[str]) -> Iterator[SiteEvent]:
    for event in events:
        if isinstance(event, LicenceDisplaced) and event.user in names and event.by not in names:
            yield replace(event, by=None)
        elif getattr(event, "user", None) in names or sees_location(who, getattr(event, "location", "")):
            yield event
