"""The licence question, as every feature asks it; `licensing.gate.Gate` answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..licensing.entitlement import AttendantUnit
    from ..licensing.gate import Granted
    from ..licensing.refusal import Refusal


class Gate(Protocol):
    """What may be done."""

    def may(self, user: str, function: str) -> Granted | Refusal:
        """Say whether `user` may use `function`."""
        ...

    def may_attend(self, number: int, unit: AttendantUnit) -> Granted | Refusal:
        """Say whether the `number`th attendant of the site, from 1, may take calls."""
        ...
