"""What the switch tells of: frozen values that the stream stamps with a sequence number and a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call came in, or was placed by an administrator."""

    call_id: str
    caller: str
    called: str


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """A device's part in a call has a new state; `state` is a `ConnectionState`."""

    call_id: str
    leg_id: str
    device: str
    state: str


@dataclass(frozen=True, slots=True)
class LeaseTaken:
    """A leg occupies a channel; `used` of `limit` are occupied now."""

    pool: str
    leg_id: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class LeaseClosed:
    """A leg gave its channel back."""

    pool: str
    leg_id: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Something was refused: a call, a registration, a binding that is not rung, a request of the API."""

    decision: str
    reason: str
    what: str
    call_id: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """An account's contacts have changed; `contacts` is their number now."""

    account: str
    contacts: int


@dataclass(frozen=True, slots=True)
class TrunkRegistered:
    """A trunk's far end took our registration."""

    trunk: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class TrunkUnregistered:
    """We are not, or no longer, registered at a trunk's far end.

    `status` is its answer, 408 or 503 without one, 0 at our own wish.
    """

    trunk: str
    status: int


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """What an account publishes of itself is another, or a registration that somebody watches ran out."""

    account: str


@dataclass(frozen=True, slots=True)
class SourceBanned:
    """Whoever sends from `source` guessed at the password of `account` too often and is not listened to for a while.

    `source` is an address, or the network that counts as one; `account` is as he wrote it, and `*` for any.
    """

    source: str
    account: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SourceUnbanned:
    """The ban of `source` for `account` was lifted by the administrator who is called `by`."""

    source: str
    account: str
    by: str


@dataclass(frozen=True, slots=True)
class OverloadBegan:
    """More is asked of the server than it can do: new requests are turned away from now on."""


@dataclass(frozen=True, slots=True)
class OverloadEnded:
    """Nobody has been turned away for a while; `shed` requests were since the overload began."""

    shed: int


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """A device's audio in a call is over; `verdict` is what `Verdict.told` tells of it. It may follow `CallEnded`."""

    call_id: str
    leg_id: str
    device: str
    verdict: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """A caller pressed a digit while Ringfence listened."""

    call_id: str
    leg_id: str
    digit: str


@dataclass(frozen=True, slots=True)
class MessageLeft:
    """A voicemail message is durable."""

    user: str
    message_id: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class MessageLost:
    """A voicemail message of so many seconds could not be kept; `why` is what the store says."""

    user: str
    caller: str
    duration_s: float
    why: str


@dataclass(frozen=True, slots=True)
class MessageRead:
    """A voicemail message was listened to."""

    user: str
    message_id: str


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A voicemail message is gone."""

    user: str
    message_id: str


@dataclass(frozen=True, slots=True)
class MessageExpired:
    """A voicemail message that had been listened to is gone, because that was `keep_days` days ago."""

    user: str
    message_id: str


@dataclass(frozen=True, slots=True)
class BoxLocked:
    """The voicemail box of `user` takes no PIN for so many seconds, after too many wrong ones."""

    user: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BoxUnlocked:
    """The lock of a voicemail box was lifted by the administrator who is called `by`."""

    user: str
    by: str


@dataclass(frozen=True, slots=True)
class CallTransferred:
    """A party of a call talks to `number` now, because the device `by` has handed it on.

    `joined_call_id` is the call by which that device had asked there before, and which ends.
    """

    call_id: str
    by: str
    number: str
    joined_call_id: str | None


@dataclass(frozen=True, slots=True)
class CallConferenced:
    """All `devices` talk with one another in a call now, because the device `by` has joined two calls of its user.

    The other one was `joined_call_id`, which ends.
    """

    call_id: str
    by: str
    devices: tuple[str, ...]
    joined_call_id: str


@dataclass(frozen=True, slots=True)
class CallForwarded:
    """A call for `user` goes on to `number`, by his forwarding; `reason` is the code of why, or `forward.always`."""

    call_id: str
    user: str
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class CallBackWanted:
    """A user waits for `number`, which was busy for him, to be free."""

    user: str
    number: str


@dataclass(frozen=True, slots=True)
class CallBackEnded:
    """A user does not wait for `number` any more.

    `outcome` is `connected`, `cancelled`, `replaced`, `expired`, or the reason code of why nobody was called back.
    """

    user: str
    number: str
    outcome: str


@dataclass(frozen=True, slots=True)
class CallPickedUp:
    """The device `by` has taken a call that rang at another one, `device`."""

    call_id: str
    by: str
    device: str


@dataclass(frozen=True, slots=True)
class CallParked:
    """The device `by` has let another one, `device`, wait in a slot."""

    call_id: str
    by: str
    device: str
    slot: str


@dataclass(frozen=True, slots=True)
class CallUnparked:
    """A slot is empty again: the device `by` has taken the call, or None when it is over."""

    call_id: str
    by: str | None
    slot: str


@dataclass(frozen=True, slots=True)
class CallPulled:
    """A user goes on with a call at `device`, and no longer at `left`."""

    call_id: str
    device: str
    left: str


@dataclass(frozen=True, slots=True)
class MobileWoken:
    """A call waits for the mobile softphone `account` of a user, which is not registered: a push is to wake it."""

    call_id: str
    user: str
    account: str
    caller: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over; `cause` is its Q.850 cause."""

    call_id: str
    cause: int
    duration_s: float


SwitchEvent = (
    CallStarted
    | ConnectionChanged
    | LeaseTaken
    | LeaseClosed
    | Refused
    | Registered
    | TrunkRegistered
    | TrunkUnregistered
    | PresenceChanged
    | SourceBanned
    | SourceUnbanned
    | OverloadBegan
    | OverloadEnded
    | StreamEnded
    | DigitPressed
    | MessageLeft
    | MessageLost
    | MessageRead
    | MessageDeleted
    | MessageExpired
    | BoxLocked
    | BoxUnlocked
    | CallTransferred
    | CallConferenced
    | CallForwarded
    | CallBackWanted
    | CallBackEnded
    | CallPickedUp
    | CallParked
    | CallUnparked
    | CallPulled
    | MobileWoken
    | CallEnded
)
