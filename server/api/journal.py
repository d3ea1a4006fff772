"""The journal over HTTP: calls that are over and what was refused, newest first."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, Field

from ..store.journal import LARGEST_PAGE
from .operation import API, Routes

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A call (`at` is its begin), a refusal, a pick-up by `user`, or a gap in which so many are `missing`."""

    kind: Literal["call", "refusal", "pickup", "gap"]
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
    """List calls, refusals and pick-ups of a time, a user, a number or a reason."""
    page = await pbx.journal.find(
        since=None if since is None else since.timestamp(),
        until=None if until is None else until.timestamp(),
        user=user,
        number=number,
        reason=reason,
        before=before,
        limit=limit,
    )
    entries = tuple(
        JournalEntry(**asdict(one) | {"at": datetime.fromtimestamp(one.at, UTC)}) for one in page.entries
    )
    return JournalPage(entries, page.before)
