"""May a message be left, or a box be heard?  The licence decides here, the IP channel when the route is taken."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..route import Answer, Occupies, Refuse, Route
from .leaving import leave_message
from .listening import listen

if TYPE_CHECKING:
    from ..gate import Gate
    from .boxes import Boxes
    from .owners import Owners
    from .settings import BoxSettings, Listening


def leave_route(user: str, gate: Gate, boxes: Boxes) -> Route:
    """Leave a message for `user` (L-07, L-30, L-47)."""
    answer = gate.may(user, "voicemail")
    box = boxes.box_of(user)
    if isinstance(answer, Refusal) or box is None:
        return Refuse(answer if isinstance(answer, Refusal) else Refusal("number.unknown"))
    if not box.rules and boxes.is_full(user):  # rules may want no message
        return Refuse(Refusal("mailbox.full", facts={"user": user}))
    return Answer(partial(leave_message, box=box, boxes=boxes), Occupies.IP_CHANNEL)


def shared_route(  # noqa: PLR0917 - as `listen_route`, for a member
    member: str | None, user: str, gate: Gate, boxes: Boxes, owners: Owners, listening: Listening
) -> Route | None:
    """Listen to the box of `user` as one with whom he shares it; None for everybody else (decision 44)."""
    box = boxes.box_of(user)
    if member is None or box is None or member not in box.shared_with:
        return None
    answer = gate.may(member, "voicemail")
    if isinstance(answer, Refusal):
        return Refuse(answer)
    return listen_route(user, gate, boxes, owners, listening)


def listen_route(user: str | None, gate: Gate, boxes: Boxes, owners: Owners, listening: Listening) -> Route:
    """Listen to the own box of `user`, or as None to any box by number and PIN."""
    own = None
    if user is not None:
        answer = gate.may(user, "voicemail")
        if isinstance(answer, Refusal):
            return Refuse(answer)
        own = boxes.box_of(user)

    def open_box(number: str) -> BoxSettings | None:
        box = boxes.box_numbered(number)
        return None if box is None or isinstance(gate.may(box.user, "voicemail"), Refusal) else box

    return Answer(
        partial(
            listen,
            own=own,
            open_box=open_box,
            boxes=boxes,
            owners=owners,
            ask_pin_of_own=listening.pin_from_own_phone,
            hairpin=listening.hairpin,
        ),
        Occupies.IP_CHANNEL,
    )
