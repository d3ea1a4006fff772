"""The journal over HTTP: calls that are over and what was refused, newest first."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field

from ..store.journal import LARGEST_PAGE, Entry, Kind
from .operation import API, Routes
from .verdict_entry import VerdictEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..app import Pbx
    from ..store.journal_legs import Leg

routes = Routes()


@dataclass(frozen=True, slots=True)
class JournalLeg:
    """How the audio of one device fared in a call that is over."""

    leg: str
    device: str
    verdict: VerdictEntry


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A call (`at` is its begin), a refusal, what `user` did with a call, or a gap.

    `missing` is how many a gap stands for; `legs` tell of a call's audio.
    """

    kind: Kind
    at: datetime
    call_id: str | None
    caller: str | None
    called: str | None
    caller_user: str | None
    called_user: str | None
    user: str | None
    reason: str | None
    decision: str | None
    what: str | None
    cause: int | None
    duration_s: float | None
    missing: int | None
    legs: tuple[JournalLeg, ...]


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Entries, newest first; the next page is asked for with `before`, and there is none where that is null."""

    entries: tuple[JournalEntry, ...]
    before: int | None


@routes.get(f"{API}/journal")
async def read_journal(
    pbx: "Pbx",
    *,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    user: str | None = None,
    number: str | None = None,
    reason: str | None = None,
    before: int | None = None,
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100,
) -> JournalPage:
    """List calls, refusals, pick-ups and conferences of a time, a user, a number or a reason."""
    page = await pbx.journal.find(
        since=None if since is None else since.timestamp(),
        until=None if until is None else until.timestamp(),
        user=user,
        number=number,
        reason=reason,
        before=before,
        limit=limit,
    )
    return JournalPage(tuple(_entry(one, page.legs) for one in page.entries), page.before)


def _entry(entry: Entry, legs: "Mapping[str, tuple[Leg, ...]]") -> JournalEntry:
    own = legs.get(entry.call_id or "", ()) if entry.kind == "call" else ()
    told = tuple(JournalLeg(one.leg, one.device, VerdictEntry.of(one.verdict)) for one in own)
    return JournalEntry(**asdict(entry) | {"at": datetime.fromtimestamp(entry.at, UTC), "legs": told})
