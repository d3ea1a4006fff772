"""What a demonstration shows, as values: scenes, how each came out, and the whole performance.

The scenes make them, the command line renders them; `as_dict` is the JSON of `ringfence demo --json`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...licensing.overview import PoolCounts
    from ..phones.refused import Refused


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scene: what was expected, what happened, and how somebody was refused in it, if the scene is about that."""

    scene: str
    expected: str
    happened: str
    as_expected: bool
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why somebody was refused: the steps of one decision in words, the verdict last."""

    decision: str
    what: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Performance:
    """All scenes in order, the licence pools afterwards, and one refusal explained."""

    company: str
    outcomes: tuple[Outcome, ...]
    licences: Mapping[str, PoolCounts]
    explanation: Explanation | None
    duration_s: float

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The scenes that did not come out as expected."""
        return tuple(one for one in self.outcomes if not one.as_expected)

    def as_dict(self) -> dict[str, object]:
        """Return the performance as JSON values."""
        return {
            "company": self.company,
            "as_expected": not self.failed,
            "duration_s": round(self.duration_s, 3),
            "scenes": [asdict(one) for one in self.outcomes],
            "licences": dict(self.licences),
            "explanation": None if self.explanation is None else asdict(self.explanation),
        }
