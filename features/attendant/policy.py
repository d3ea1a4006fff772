"""May this attendant take a call?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..route import Answer, Occupies, Refuse, Route
from .behaviour import attend

if TYPE_CHECKING:
    from ...licensing.entitlement import AttendantUnit
    from ..gate import Gate
    from .settings import Menu


def attendant_route(menu: Menu, gate: Gate, number: int, unit: AttendantUnit) -> Route:
    """Take the call by `menu`, the site's `number`th (L-32, A-07); the two channels are taken with the route."""
    answer = gate.may_attend(number, unit)
    if isinstance(answer, Refusal):
        return Refuse(answer)
    return Answer(partial(attend, menu=menu), Occupies.ATTENDANT)
