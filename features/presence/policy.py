"""May somebody watch another, or write to him?  Between desk phones that is the telephone system's own and free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from ...channels.session import Party
    from ..gate import Gate

FUNCTIONS = ("presence", "chat")


def may_reach(party: Party, name: str | None, gate: Gate) -> Refusal | None:
    """Say why `party` may not reach somebody; `name` is the user whose name was addressed, None at an extension.

    From or to `sip:NAME` both need one of the two functions: who reaches out, and whose name it is.
    """
    if name is None and party.extension:
        return None
    users = [user for user in (party.user, name) if user is not None]
    return next((refusal for user in users if (refusal := _refused(user, gate)) is not None), None)


def _refused(user: str, gate: Gate) -> Refusal | None:
    """Want of a licence tells more than that a function is not switched on."""
    refusals: list[Refusal] = []
    for function in FUNCTIONS:
        answer = gate.may(user, function)
        if not isinstance(answer, Refusal):
            return None
        refusals.append(answer)
    return next((one for one in refusals if one.reason != "function.not_configured"), refusals[0])
