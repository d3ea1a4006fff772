"""TAPI lines: a line takes its licence when it is first used, and keeps it (L-09).

The doors of TAPI and CSTA ask `bind` before a line is opened or monitored; the store keeps the bound lines in their
order. Where a site sets `tapi = "configured"` nobody binds: users with the function `tapi_line` are dealt the seats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .refusal import Refusal, Step

if TYPE_CHECKING:
    from .entitlement import Entitlement

_LICENCE = "tapi_line"


@dataclass(frozen=True, slots=True)
class Bound:
    """A line that holds a licence; `lines` is how all of them stand now."""

    line: str
    lines: Lines
    new: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines that are `bound`, in the order in which they were, and those that `asked` in vain since the start.

    When licences are taken away, the lines bound last are refused and stay bound, until there are enough again.
    """

    bound: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    def bind(self, line: str, entitlement: Entitlement) -> Bound | Refusal:
        """Let `line` have a licence. Who is refused is remembered by `refused`."""
        blocked, limit = entitlement.blocked_by(_LICENCE), entitlement.capacity(_LICENCE)
        if blocked:
            facts: dict[str, object] = {"licence": _LICENCE, "line": line, "because": blocked}
            return Refusal(f"license.{_LICENCE}.blocked", (Step("server", passed=False),), facts)
        if line in self.bound[:limit]:
            return Bound(line, self, new=False)
        if line not in self.bound and len(self.bound) < limit:
            asked = tuple(one for one in self.asked if one != line)
            return Bound(line, Lines((*self.bound, line), asked), new=True)
        used = min(limit, len(self.bound))
        facts = {"line": line, "limit": limit, "used": used, "holders": self.bound[:limit]}
        step = Step("line", passed=False, facts={"licence": _LICENCE, **facts})
        return Refusal(f"license.{_LICENCE}.exhausted", (Step("server", passed=True), step), facts)

    def refused(self, line: str) -> Lines:
        """The lines after `line` asked in vain."""
        return self if line in (*self.asked, *self.bound) else replace(self, asked=(*self.asked, line))

    def release(self, line: str) -> Lines:
        """The lines after an administrator has taken the licence of `line`; raises `KeyError` if it has none."""
        if line not in self.bound:
            raise KeyError(line)
        return replace(self, bound=tuple(one for one in self.bound if one != line))

    def holding(self, entitlement: Entitlement) -> tuple[str, ...]:
        """The lines whose licence has an effect."""
        limit = 0 if entitlement.blocked_by(_LICENCE) else entitlement.capacity(_LICENCE)
        return self.bound[:limit]

    @property
    def required(self) -> int:
        """How many licences the lines that hold or asked would need."""
        return len(self.bound) + len(self.asked)
