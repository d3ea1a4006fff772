"""TAPI lines over HTTP: which hold a licence, which asked in vain, and how one is released (L-09)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..site.acts import ReleaseLine
from ..store.tokens import Token
from .changes import Changes, carry_out
from .operation import API, Routes

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class BoundLineEntry:
    """A line that is bound; not `effective` where there are fewer licences now than lines bound before it."""

    line: str
    bound_at: datetime
    effective: bool


@dataclass(frozen=True, slots=True)
class LineReport:
    """The lines in the order in which they were bound, those that `asked` in vain since the start, and the licences."""

    limit: int
    bound: tuple[BoundLineEntry, ...]
    asked: tuple[str, ...]


@routes.get(f"{API}/licences/lines")
async def list_lines(pbx: "Pbx") -> LineReport:
    """List the TAPI lines that hold a licence or asked for one."""
    now = pbx.administration
    holding = now.lines.holding(now.entitlement)
    bound = tuple(
        BoundLineEntry(one.line, datetime.fromtimestamp(one.bound_at, UTC), one.line in holding)
        for one in now.holdings.lines
    )
    return LineReport(now.entitlement.capacity("tapi_line"), bound, now.lines.asked)


@routes.delete(f"{API}/licences/lines/{{line}}")
async def release_line(pbx: "Pbx", who: Token, line: str, dry_run: bool = False) -> Changes | None:
    """Take the TAPI licence away from a line, so that another can have it (A-09)."""
    outcome = await carry_out(pbx, who, ReleaseLine(line), dry_run=dry_run)
    return outcome if isinstance(outcome, Changes) else None
