"""May this attendant take a call?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..route import Answer, Occupies, Refuse, Route
from .behaviour import attend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...licensing.entitlement import AttendantUnit
    from ..conditions.calendar import Calendar
    from ..conditions.condition import Circumstances
    from ..gate import Gate
    from .house import House
    from .settings import Attendant


def attendant_route(
    desk: Attendant,
    house: House,
    now: Circumstances,
    calendars: Mapping[str, Calendar],
    gate: Gate,
    *,
    number: int,
    unit: AttendantUnit,
) -> Route:
    """Take the call by `desk`, the site's `number`th (L-32, A-07); the two channels are taken with the route.

    Which greeting holds is what is the case `now`, when the call comes.
    """
    answer = gate.may_attend(number, unit)
    if isinstance(answer, Refusal):
        return Refuse(answer)
    greeting = desk.greeting(now, calendars)
    behaviour = partial(attend, desk=desk, house=house, greeting=greeting, language=now.language)
    return Answer(behaviour, Occupies.ATTENDANT, desk.overflow)
