"""Where a call leg is, as the leg and its rooms `called` and `calling` see it (RFC 3261 sections 12 to 15)."""

from __future__ import annotations

from enum import Enum, auto


class LegState(Enum):
    """INCOMING is the called side's, CALLING and CANCELLING the caller's; LEAVING waits for the answer to our BYE."""

    INCOMING = auto()
    CALLING = auto()
    RINGING = auto()
    CANCELLING = auto()
    ANSWERED = auto()
    ESTABLISHED = auto()
    LEAVING = auto()
    ENDED = auto()


UNANSWERED = frozenset({LegState.INCOMING, LegState.CALLING, LegState.RINGING})
STANDING = frozenset({LegState.ANSWERED, LegState.ESTABLISHED})
OVER = frozenset({LegState.LEAVING, LegState.ENDED})
