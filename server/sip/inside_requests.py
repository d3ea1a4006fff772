"""Requests that come inside the dialog of a leg: in order, understood, and then taken by whoever they are for.

BYE, re-INVITE, UPDATE and PRACK are the leg's own; all others go to its owner (RFC 3261 section 12.2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .capabilities import unknown_extensions
from .effects import LegReconfirmed, RequestedInside
from .reoffer import OpenOffer
from .session_timer import LEAST_S, TOO_SHORT, is_too_short

if TYPE_CHECKING:
    from .agent import Agent
    from .dialog import Dialog
    from .leg import Leg
    from .message import Request
    from .transaction import ServerTransaction

BAD_EXTENSION, GONE, OUT_OF_ORDER = 420, 481, 500


def take_request(agent: Agent, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Answer a request inside a dialog of `leg`, or hand it on."""
    request = transaction.request
    method, dialog = request.method, _dialog_of(leg, request)
    if dialog is None or not dialog.accepts(request):
        _refuse(transaction, now, OUT_OF_ORDER, "Retry-After", str(agent.random.randint(0, 10)))
    elif method == "BYE" and leg.calling is None:
        transaction.respond(request.respond(200), now)
        leg.on_bye(now)
    elif leg.is_over or method == "BYE":  # RFC 3261 15: the called side leaves no early dialog so
        transaction.respond(request.respond(GONE), now)
    elif unknown := unknown_extensions(request):
        _refuse(transaction, now, BAD_EXTENSION, "Unsupported", ", ".join(unknown))
    elif method in ("INVITE", "UPDATE"):
        _take_offer(leg, transaction, dialog, now)
    elif method == "PRACK":
        _take_prack(agent, leg, transaction, dialog, now)
    else:
        agent.effects.append(RequestedInside(leg, transaction))


def _refuse(transaction: ServerTransaction, now: float, status: int, name: str, value: str) -> None:
    refusal = transaction.request.respond(status)
    refusal.add(name, value)
    transaction.respond(refusal, now)


def _take_offer(leg: Leg, transaction: ServerTransaction, dialog: Dialog, now: float) -> None:
    request, by_invite = transaction.request, transaction.is_invite
    if is_too_short(request):
        _refuse(transaction, now, TOO_SHORT, "Min-SE", str(LEAST_S))
    elif by_invite or request.body:
        leg.offers.take(transaction, dialog, now, open_offer(leg, dialog, by_invite=by_invite))
    else:
        leg.offers.confirm(transaction, dialog, b"", now)


def _take_prack(agent: Agent, leg: Leg, transaction: ServerTransaction, dialog: Dialog, now: float) -> None:
    """RFC 3262 3 and 5: a PRACK acknowledges a provisional response, and may hold an answer or an offer."""
    request, called = transaction.request, leg.called
    if called is None or not called.acknowledges(request):
        transaction.respond(request.respond(GONE), now)
        return
    if called.confirm():
        body = request.body
        transaction.respond(request.respond(200), now)
        agent.effects.append(LegReconfirmed(leg, body))
    elif request.body:
        leg.offers.take(transaction, dialog, now, open_offer(leg, dialog))
    else:
        transaction.respond(request.respond(200), now)
    waiting = called.on_prack(now)
    if waiting is not None:
        leg.answer(waiting, now)


def _dialog_of(leg: Leg, request: Request) -> Dialog | None:
    if leg.calling is None:
        return leg.dialog
    early = leg.calling.early.get(request.from_.tag or "")
    return None if early is None else early.dialog(leg)


def open_offer(leg: Leg, dialog: Dialog, *, by_invite: bool = False) -> OpenOffer:
    """Say whose offer in an INVITE waits for its answer; a new INVITE waits for the ACK as well."""
    if leg.calling is not None:
        early = leg.calling.early.get(dialog.id.remote_tag)
        is_answered = early is not None and early.is_answered and not by_invite
        return OpenOffer.NONE if is_answered else OpenOffer.OURS
    if leg.called is not None:
        return OpenOffer.THEIRS if by_invite else leg.called.open_offer
    if leg.repetition is None:
        return OpenOffer.NONE
    return OpenOffer.THEIRS if by_invite else leg.offers.in_the_2xx
