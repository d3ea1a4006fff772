"""REFER (RFC 3515), the Replaces in what it refers to (RFC 3891), and how it went: NOTIFY with `message/sipfrag`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .capabilities import describe
from .dialog import DialogId
from .grammar import SipSyntaxError
from .headers import NameAddr, parse_params
from .inside import send_inside
from .reason_phrases import REASON_PHRASES
from .uri import SipUri

if TYPE_CHECKING:
    from .agent import Agent
    from .dialog import Dialog
    from .message import Request
    from .transaction import ServerTransaction

SIPFRAG: Final = "message/sipfrag"
ACCEPTED, NOT_IMPLEMENTED = 202, 501
_LASTS_S: Final = 240


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog that an INVITE takes the place of, as its recipient sees it (RFC 3891 section 6.1)."""

    dialog: DialogId
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read a header value; raises `SipSyntaxError`."""
        call_id, semicolon, rest = text.partition(";")
        params = dict(parse_params(semicolon + rest)) if semicolon else {}
        to_tag, from_tag = params.get("to-tag"), params.get("from-tag")
        if not call_id.strip() or to_tag is None or from_tag is None:
            raise SipSyntaxError("Replaces names no dialog")
        return cls(DialogId(call_id.strip(), to_tag, from_tag), "early-only" in params)

    @staticmethod
    def of(dialog: Dialog) -> str:
        """Write the header that names one of our own dialogs to its far end."""
        call_id, local_tag, remote_tag = dialog.id
        return f"{call_id};to-tag={remote_tag};from-tag={local_tag}"


@dataclass(frozen=True, slots=True)
class ReferTo:
    """Whom a REFER asks to call."""

    uri: SipUri
    replaces: Replaces | None = None

    @classmethod
    def of(cls, request: Request) -> ReferTo:
        """Read the one Refer-To (RFC 3515 2.4.2); raises `SipSyntaxError` with the status that it deserves."""
        values = request.values("refer-to")
        if len(values) != 1:
            raise SipSyntaxError("a REFER has one Refer-To")
        uri = NameAddr.parse(values[0]).uri
        if not isinstance(uri, SipUri):
            raise SipSyntaxError("only sip: and sips: can be called", 416)
        if (uri.param("method") or "INVITE") != "INVITE":
            raise SipSyntaxError("only calls can be referred to", NOT_IMPLEMENTED)
        replaces = dict(uri.headers).get("replaces")
        return cls(uri, None if replaces is None else Replaces.parse(replaces))


class Referral:
    """One accepted REFER, and its implicit subscription (RFC 3515 2.4.4); it outlives the call of whoever sent it."""

    __slots__ = ("_agent", "_dialog", "_event")

    def __init__(self, agent: Agent, dialog: Dialog, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        self._agent = agent
        self._dialog = dialog
        self._event = f"refer;id={request.cseq.number}"
        accepted = request.respond(ACCEPTED)
        accepted.add("Contact", agent.reach.contact(dialog.fallback, request.uri))
        describe(accepted, b"")
        transaction.respond(accepted, now)
        self.tell(100, now)

    def tell(self, status: int, now: float, headers: list[tuple[str, str]] | None = None) -> None:
        """Tell how the call that was referred to goes; a final status ends the subscription (2.4.5, 2.4.7)."""
        state = f"active;expires={_LASTS_S}" if status < 200 else "terminated;reason=noresource"
        lines = [f"SIP/2.0 {status} {REASON_PHRASES.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers or ()]
        send_inside(
            self._agent,
            self._dialog,
            None,
            now,
            method="NOTIFY",
            headers=[
                ("Event", self._event),
                ("Subscription-State", state),
                ("Content-Type", f"{SIPFRAG};version=2.0"),
            ],
            body="".join(f"{line}\r\n" for line in lines).encode(),
        )


def read_sipfrag(request: Request) -> int | None:
    """Return the status that a NOTIFY tells; None for a body that tells none."""
    first = request.body.partition(b"\r\n")[0].split(b" ")
    if request.content_type != SIPFRAG or len(first) < 2 or not (first[1].isdigit() and len(first[1]) == 3):
        return None
    return int(first[1])
