"""What a change would bring, as `?dry_run=true` answers it: nothing has been changed then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...licensing.what_if import UserChange  # noqa: TC001 - pydantic reads the shapes
from ..event_form import name_of, values_of
from ..site.events import LicenceDisplaced
from .rights import sees

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..site.directory import Directory
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


def told(*events: object) -> tuple[EventEntry, ...]:
    """The events as they would be told."""
    return tuple(EventEntry(name_of(event), values_of(event)) for event in events)


def changes(outcome: Outcome, who: Token, before: Directory) -> Changes:
    """What a dry run came to, as far as `who` may see it: a sub-administrator his own users (L-62)."""
    if who.kind == "administrator":
        return Changes(outcome.users, told(*outcome.events))
    sides = (before, outcome.after.directory)
    names = {user.name for side in sides for user in side.users if sees(who, user)}
    users = tuple(one for one in outcome.users if one.user in names)
    return Changes(users, told(*_within(outcome.events, names.__contains__)))


def _within(events: Iterable[object], known: Callable[[object], bool]) -> Iterator[object]:
    for event in events:
        if known(getattr(event, "user", None)):
            foreign = isinstance(event, LicenceDisplaced) and not known(event.by)
            yield replace(event, by=None) if foreign and isinstance(event, LicenceDisplaced) else event
