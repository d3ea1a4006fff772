"""What a SIP machine wants done, or has to tell: the closed union that `server.net.stack` carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .flow import Flow, Peer
    from .leg import Leg
    from .message import Request, Response
    from .subscription import Subscription
    from .transaction import ClientTransaction, ServerTransaction


@dataclass(frozen=True, slots=True)
class Send:
    """Put bytes on the wire."""

    data: bytes
    destination: Peer


@dataclass(frozen=True, slots=True)
class Requested:
    """A request outside any dialog, not yet answered and without a transaction: accept it, or answer statelessly."""

    request: Request
    source: Peer


@dataclass(frozen=True, slots=True)
class RequestedInside:
    """A request in the dialog of a leg that the leg leaves to its owner (INFO, REFER …)."""

    leg: Leg
    transaction: ServerTransaction


@dataclass(frozen=True, slots=True)
class Responded:
    """A response to a request that no leg sent (REGISTER, OPTIONS …); provisional ones are told too."""

    transaction: ClientTransaction
    response: Response


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody answered the request: `status` 408 for timer B or F, 503 for a flow that is gone (RFC 3261 8.1.3.1)."""

    transaction: ClientTransaction
    status: int


@dataclass(frozen=True, slots=True)
class FlowLost:
    """A connection was closed, or could not be opened."""

    flow: Flow


@dataclass(frozen=True, slots=True)
class LegProgressed:
    """The called side answered 18x."""

    leg: Leg
    response: Response


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The called side took the call; its answer to our offer, or its offer, is in `response`."""

    leg: Leg
    response: Response


@dataclass(frozen=True, slots=True)
class LegConfirmed:
    """The caller's ACK came; `body` is its answer when the offer was ours (RFC 3261 13.2.1)."""

    leg: Leg
    body: bytes


@dataclass(frozen=True, slots=True)
class LegReoffered:
    """The far end wants other media (re-INVITE, UPDATE); answer it by `Leg.accept_offer` or `Leg.refuse_offer`."""

    leg: Leg
    request: Request


@dataclass(frozen=True, slots=True)
class LegReconfirmed:
    """The ACK of a re-INVITE that was accepted came; `body` is its answer when the offer was ours."""

    leg: Leg
    body: bytes


@dataclass(frozen=True, slots=True)
class LegReanswered:
    """The final response to our re-INVITE or UPDATE with an offer came; after a 491 `LegUnblocked` follows."""

    leg: Leg
    response: Response


@dataclass(frozen=True, slots=True)
class LegUnblocked:
    """An offer that had to wait, for another one or after a 491 (RFC 3261 14.1), may be made if it is still wanted."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class LegRefreshDue:
    """The session needs a re-INVITE, because the far end allows no UPDATE (RFC 4028 7.4): offer what is in use."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is over; told exactly once.

    `status` is the final response of an unanswered leg (487 after CANCEL, 408 for no answer at all), 0 after an answer.
    `far` tells whether the far end ended it. `response` is the refusal of the called side, if there was one.
    """

    leg: Leg
    status: int
    far: bool
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Resubscribed:
    """A later SUBSCRIBE of a subscription: answer it by `Subscription.refresh` and a state, or refuse it."""

    subscription: Subscription
    transaction: ServerTransaction


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """The subscription is over, whoever ended it; told exactly once."""

    subscription: Subscription


LegEffect = (
    LegProgressed
    | LegAnswered
    | LegConfirmed
    | LegReoffered
    | LegReconfirmed
    | LegReanswered
    | LegUnblocked
    | LegRefreshDue
    | LegEnded
)

Effect = (
    Send
    | Requested
    | RequestedInside
    | Responded
    | Unanswered
    | FlowLost
    | LegEffect
    | Resubscribed
    | SubscriptionEnded
)
