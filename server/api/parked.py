"""Parked calls over HTTP: who waits in which slot, and letting somebody wait. Whoever takes him calls the slot."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from ...licensing.refusal import Refusal
from ..store.tokens import Token
from .calls import call_of, sees_call
from .operation import API, STRICT, Routes
from .problem import ProblemError
from .rights import ALL_ADMINISTRATORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..app import Pbx
    from ..switch.parking import Waiting

routes = Routes()


@dataclass(frozen=True, slots=True)
class ParkedEntry:
    """The call `call` waits in `slot` since then: `number` is to be dialled to talk to `device`, whom `by` parked."""

    slot: str
    number: str
    call: str
    device: str
    by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NewParked:
    """`by` is the device that leaves the call; whom it talks to waits in `slot`, null for the first that is free."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    by: str
    slot: str | None = None


@routes.get(f"{API}/parked", may=ALL_ADMINISTRATORS)
async def list_parked(pbx: "Pbx", who: Token) -> tuple[ParkedEntry, ...]:
    """List the calls that wait in a slot; a sub-administrator sees those in which a user of his takes part."""
    waiting = pbx.switch.parkings.waiting.values()
    return tuple(_entry(pbx, one) for one in waiting if sees_call(pbx, who, one.connection.call))


@routes.post(f"{API}/calls/{{id}}/park", may=ALL_ADMINISTRATORS)
async def park_call(pbx: "Pbx", who: Token, id: str, new: NewParked) -> ParkedEntry:  # noqa: A002 - the name in the path
    """Let one of the two in a call wait in a slot, and the other one leave."""
    call, parkings = call_of(pbx, who, id), pbx.switch.parkings
    if new.slot is not None and not pbx.administration.directory.has_slot(new.slot):
        slots = pbx.administration.directory.site.parking.slots
        raise ProblemError.invalid(f'The field "slot" does not fit: it is none of 1 to {slots}.')
    own = next((one for one in call.connections if one.device == new.by), None)
    if own is None:
        raise ProblemError.invalid(f'The field "by" does not fit: no device of the call is "{new.by}".')
    slot = parkings.park_other(own, new.slot)
    if isinstance(slot, Refusal):
        raise ProblemError.of(pbx.decisions.mint(slot, f"parking of {call.id}", call_id=call.id))
    return _entry(pbx, parkings.waiting[slot])


def _entry(pbx: "Pbx", waiting: "Waiting") -> ParkedEntry:
    code = pbx.administration.directory.site.feature_codes.retrieve
    return ParkedEntry(
        waiting.slot,
        f"{code}{waiting.slot}",
        waiting.connection.call.id,
        waiting.connection.device,
        waiting.by.number,
        pbx.clock.at(waiting.since_s),
    )
