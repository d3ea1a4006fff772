"""Where a user's calls go before and instead of his devices; no licence is asked for any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...licensing.refusal import Refusal
from ..route import Forwarding

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Party
    from .settings import Forward

ALWAYS: Final = "forward.always"
"""In the place of a reason code: nobody refused the call, the user has it forwarded at once."""


def forwarding_for(
    caller: Party, forward: Forward | None, *, do_not_disturb: bool = False, call_waiting: bool = True
) -> Forwarding:
    """Return what counts for `caller`, who comes from outside by a trunk, from inside otherwise."""
    if forward is None:
        return Forwarding(do_not_disturb=do_not_disturb, call_waiting=call_waiting)
    own = (forward.internal if caller.trunk is None else forward.external) or forward
    return Forwarding(
        own.busy or forward.busy,
        own.no_answer or forward.no_answer,
        own.not_registered or forward.not_registered,
        forward.after_s,
        own.always or forward.always,
        do_not_disturb=do_not_disturb,
        call_waiting=call_waiting,
    )


def turned_away(forwarding: Forwarding, is_engaged: Callable[[], bool]) -> Refusal | None:
    """Say why a user's devices are not even rung: all his calls are forwarded, he is not to be disturbed, or he has a
    call and wants no second one.
    """
    if forwarding.always is not None:
        return Refusal(ALWAYS)
    if forwarding.do_not_disturb:
        return Refusal("user.do_not_disturb")
    return Refusal("user.busy") if not forwarding.call_waiting and is_engaged() else None
