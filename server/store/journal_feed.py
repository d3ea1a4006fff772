"""From the event stream to the journal: a call is one entry once it is over, and the audio of its legs comes with it;
a refusal, and what somebody did with a call, are one at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from ..switch.events import (
    CallConferenced,
    CallEnded,
    CallForwarded,
    CallParked,
    CallPickedUp,
    CallPulled,
    CallStarted,
    CallUnparked,
    Refused,
    StreamEnded,
)
from .journal import Entry
from .journal_legs import Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..switch.stream import Stamped
    from .journal import Journal, Kind

_Deed: TypeAlias = CallForwarded | CallPickedUp | CallParked | CallUnparked | CallPulled | CallConferenced
_KEPT = (CallStarted, CallEnded, *get_args(_Deed), StreamEnded, Refused)


class JournalFeed:
    """Listens to one stream. `user_of` gives the user of a number or name, `unix` Unix time for the stream's."""

    def __init__(
        self, journal: Journal, user_of: Callable[[str], str | None], unix: Callable[[float], float]
    ) -> None:
        self._journal = journal
        self._user_of = user_of
        self._unix = unix
        self._calls: dict[str, tuple[float, CallStarted]] = {}

    def hear(self, stamped: Stamped) -> None:
        """Take the next event of the stream."""
        event = stamped.event
        if not isinstance(event, _KEPT):
            return
        at = self._unix(stamped.at_s)
        match event:
            case CallStarted():
                self._calls[event.call_id] = at, event
            case CallEnded():
                began, started = self._calls.pop(event.call_id, (at - event.duration_s, None))
                self._note("call", began, started, event, cause=event.cause, duration_s=event.duration_s)
            case StreamEnded(call_id, leg, device, verdict):
                self._journal.note(Leg(at, call_id, leg, device, verdict))
            case Refused():
                _, started = self._calls.get(event.call_id or "", (at, None))
                told = {"user": event.user, "reason": event.reason, "decision": event.decision}
                self._note("refusal", at, started, event, **told, what=event.what)
            case _:
                self._note_deed(at, event)

    def _note_deed(self, at: float, event: _Deed) -> None:
        kind, by, what = _deed(event)
        if by is not None:
            _, started = self._calls.get(event.call_id, (at, None))
            reason = event.reason if isinstance(event, CallForwarded) else None
            self._note(kind, at, started, event, user=self._user_of(by), what=what, reason=reason)

    def _note(
        self,
        kind: Kind,
        at: float,
        started: CallStarted | None,
        event: CallEnded | Refused | _Deed,
        **told: Any,
    ) -> None:
        if started is not None:
            told |= {"caller": started.caller, "called": started.called}
            told |= {
                "caller_user": self._user_of(started.caller),
                "called_user": self._user_of(started.called),
            }
        self._journal.note(Entry(kind, at, event.call_id, **told))


def _deed(event: _Deed) -> tuple[Kind, str | None, str]:
    """What was done with a call, and by which user or device, None by nobody."""
    match event:
        case CallForwarded(_, user, number):
            return "forwarding", user, f"forwarded to {number}"
        case CallPickedUp(_, by, device):
            return "pickup", by, f"call at {device} picked up by {by}"
        case CallParked(_, by, device, slot):
            return "park", by, f"{device} parked at {slot} by {by}"
        case CallUnparked(_, by, slot):
            return "retrieval", by, f"taken from {slot} by {by}"
        case CallPulled(_, device, left):
            return "pull", device, f"pulled from {left} to {device}"
        case CallConferenced(_, by, devices):
            return "conference", by, f"conference of {', '.join(devices)}"
