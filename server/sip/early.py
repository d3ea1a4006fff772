"""The early dialogs of one INVITE of ours (RFC 3261 section 12.1), and the PRACKs in them (RFC 3262 section 4).

A fork makes several: one for each To tag in provisional responses. A `Calling` side holds them until it is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dialog import Dialog, DialogId
from .grammar import SipSyntaxError, number
from .inside import send_inside
from .reliable import TAG

if TYPE_CHECKING:
    from .agent import Agent
    from .leg import Leg
    from .message import Request, Response

MOST_EARLY = 32
HIGHEST_RSEQ = 2**32 - 1


class Early:
    """One early dialog, made when it is needed; `answer` is what a response in it answered to our offer.

    Once a reliable response did, the offer `is_answered` for good (RFC 3262 5). `is_updated` tells that an UPDATE has
    taken the session on from there (RFC 3311), so that a description in the 2xx is no news.
    """

    __slots__ = ("_dialog", "_opened_by", "answer", "is_answered", "is_updated", "rseq")

    def __init__(self, opened_by: Response) -> None:
        self._opened_by = opened_by
        self._dialog: Dialog | None = None
        self.rseq: int | None = None
        self.answer = b""
        self.is_answered = self.is_updated = False

    def dialog(self, leg: Leg) -> Dialog:
        """Return the dialog."""
        if self._dialog is None:
            self._dialog = Dialog.of_client(leg.request, self._opened_by, leg.peer)
        return self._dialog

    @property
    def numbers(self) -> tuple[int, int | None] | None:
        """The CSeq numbers that were used in the dialog, ours and theirs; None where it was never needed."""
        return None if self._dialog is None else (self._dialog.local_cseq, self._dialog.remote_cseq)


class EarlyDialogs:
    """See the module."""

    __slots__ = ("_agent", "_by_tag", "_leg")

    def __init__(self, agent: Agent, leg: Leg) -> None:
        self._agent = agent
        self._leg = leg
        self._by_tag: dict[str, Early] = {}

    def take(self, response: Response, request: Request, now: float) -> bool:
        """Take a provisional response to `request`; False for one that is a repetition or comes out of order."""
        tag = response.to.tag
        if not tag:
            return True
        early = self._by_tag.get(tag)
        if early is None:
            if len(self._by_tag) >= MOST_EARLY:
                return False
            early = self._by_tag[tag] = Early(response)
            self._agent.remember(self._id(tag), self._leg)
        if TAG not in response.values("require"):
            early.answer = response.body or early.answer
            return True
        return self._acknowledge(early, response, request, now)

    def _acknowledge(self, early: Early, response: Response, request: Request, now: float) -> bool:
        """Send the PRACK of a reliable response, if it is the next one (RFC 3262 4)."""
        try:
            rseq = number(response.get("rseq") or "", "RSeq", HIGHEST_RSEQ, 1)
        except SipSyntaxError:
            return False
        if early.rseq is not None and rseq != early.rseq + 1:
            return False
        early.rseq = rseq
        early.answer = response.body or early.answer
        early.is_answered = early.is_answered or bool(response.body)
        rack = ("RAck", f"{rseq} {request.cseq.number} INVITE")
        send_inside(self._agent, early.dialog(self._leg), self._leg, now, method="PRACK", headers=[rack])
        return True

    def _id(self, tag: str) -> DialogId:
        return DialogId(self._leg.request.call_id, self._leg.local_tag, tag)

    def get(self, tag: str) -> Early | None:
        """Return the early dialog with that far end."""
        return self._by_tag.get(tag)

    def update(self, tag: str) -> None:
        """Note that an UPDATE with other media was accepted in the early dialog with that far end."""
        if tag in self._by_tag:
            self._by_tag[tag].is_updated = True

    @property
    def latest(self) -> Early | None:
        """The early dialog that was opened last."""
        return next(reversed(self._by_tag.values()), None)

    def forget(self) -> None:
        """Be found by none of them any more."""
        for tag in self._by_tag:
            self._agent.forget_dialog(self._id(tag))
