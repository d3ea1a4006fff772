"""From the event stream to the journal: a call is one entry once it is over, and the audio of its legs comes with it;
a refusal, a pick-up and a conference are one at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..switch.events import CallConferenced, CallEnded, CallPickedUp, CallStarted, Refused, StreamEnded
from .journal import Entry
from .journal_legs import Leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..switch.stream import Stamped
    from .journal import Journal

_KEPT = (CallStarted, CallEnded, CallConferenced, CallPickedUp, StreamEnded, Refused)


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
            case CallPickedUp():
                _, started = self._calls.get(event.call_id, (at, None))
                what = f"call at {event.device} picked up by {event.by}"
                self._note("pickup", at, started, event, user=self._user_of(event.by), what=what)
            case CallConferenced():
                _, started = self._calls.get(event.call_id, (at, None))
                what = f"conference of {', '.join(event.devices)}"
                self._note("conference", at, started, event, user=self._user_of(event.by), what=what)
            case Refused():
                _, started = self._calls.get(event.call_id or "", (at, None))
                told = {"user": event.user, "reason": event.reason, "decision": event.decision}
                self._note("refusal", at, started, event, **told, what=event.what)

    def _note(
        self,
        kind: Literal["call", "refusal", "pickup", "conference"],
        at: float,
        started: CallStarted | None,
        event: CallEnded | CallConferenced | CallPickedUp | Refused,
        **told: Any,
    ) -> None:
        if started is not None:
            told |= {"caller": started.caller, "called": started.called}
            told |= {
                "caller_user": self._user_of(started.caller),
                "called_user": self._user_of(started.called),
            }
        self._journal.note(Entry(kind, at, event.call_id, **told))
