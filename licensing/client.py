"""What somebody needs who reads a voicemail box or fax journal, by the client he reads it with (L-34 to L-37).

The HTTP door asks for a user's token, which carries the kind; an administrator's is not gated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .refusal import Refusal, Step

if TYPE_CHECKING:
    from .gate import Gate, Granted

ClientKind = Literal["connect", "mobile", "groupware", "web"]
Box = Literal["voicemail", "fax"]

_NEEDED: dict[tuple[Box, ClientKind], str] = {
    ("voicemail", "connect"): "voicemail_client",
    ("voicemail", "groupware"): "voicemail_client",
    ("voicemail", "mobile"): "voicemail_mobile",
    ("voicemail", "web"): "voicemail",
    ("fax", "connect"): "fax_client",
    ("fax", "groupware"): "fax_client",
    ("fax", "mobile"): "fax_client",
    ("fax", "web"): "fax",
}


def function_for(box: Box, kind: ClientKind) -> str:
    """The function that reading `box` with a client of this kind is."""
    return _NEEDED[box, kind]


def may_read(
    gate: Gate, user: str, box: Box, kind: ClientKind, *, mobile_fax_requires_plus: bool = False
) -> Granted | Refusal:
    """Whether `user` may read `box` with a client of this kind.

    Faxes in the mobile app need Office, or Office Plus with `mobile_fax_requires_plus` (A-11). Raises `KeyError` for
    an unknown user.
    """
    function = function_for(box, kind)
    answer = gate.may(user, function)
    strict = mobile_fax_requires_plus and (box, kind) == ("fax", "mobile")
    if isinstance(answer, Refusal) or not strict or gate.holds(user, "office_plus"):
        return answer
    step = Step("prerequisite", passed=False, facts={"user": user, "licence": "fax", "needs": "office_plus"})
    facts = {"user": user, "function": function, "licence": "office_plus"}
    return Refusal("license.office_plus.under_licensed", (step,), facts)
