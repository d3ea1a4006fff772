"""The audit log over HTTP: its rows by page, the whole of it as CSV or JSON, and whether the chain holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from aiohttp import web
from pydantic import Field

from ..store import audit
from ..store.reading import read_beside
from .operation import API, Routes

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()

_TYPES = {"csv": "text/csv", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A row of the log: what `actor` brought about, and the hash by which the row after it holds on to it."""

    seq: int
    at: datetime
    actor: str
    kind: str
    detail: object
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows, newest first; the next page is asked for with `before`, and there is none where that is null."""

    entries: tuple[AuditEntry, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether the chain of so many `rows` holds; if not, at which row it breaks, and `what` is wrong."""

    whole: bool
    rows: int
    broken_at: int | None
    what: str | None


@routes.get(f"{API}/audit")
async def read_audit(
    pbx: "Pbx",
    before: int | None = None,
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    actor: str | None = None,
    kind: str | None = None,
) -> AuditPage:
    """List what was changed, by whom and with what effect, newest first."""
    rows = await read_beside(
        pbx.store,
        lambda connection: audit.find(connection, before=before, limit=limit + 1, actor=actor, kind=kind),
    )
    entries = tuple(
        AuditEntry(seq, datetime.fromisoformat(at), by, what, audit.detail_of(detail), previous, own)
        for seq, at, by, what, detail, previous, own in rows[:limit]
    )
    return AuditPage(entries, entries[-1].seq if len(rows) > limit else None)


@routes.get(f"{API}/audit/export", produces="text/csv, application/json")
async def export_audit(pbx: "Pbx", format: Literal["csv", "json"] = "csv") -> web.StreamResponse:  # noqa: A002 - its name in the query
    """Give the whole log, whether it is whole or not."""
    text = await read_beside(pbx.store, lambda connection: "".join(audit.export(connection, format)))
    attachment = f'attachment; filename="audit.{format}"'
    return web.Response(text=text, content_type=_TYPES[format], headers={"Content-Disposition": attachment})


@routes.get(f"{API}/audit/verify")
async def verify_audit(pbx: "Pbx") -> AuditVerdict:
    """Go through the whole chain and tell of the first broken link."""
    broken, rows = await read_beside(
        pbx.store, lambda connection: (audit.verify(connection), audit.head(connection)[0])
    )
    if broken is None:
        return AuditVerdict(True, rows, None, None)
    return AuditVerdict(False, rows, broken.seq, broken.what)
