"""Requests that we send inside a dialog (RFC 3261 section 12.2.1), once more where credentials are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .message import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .agent import Agent
    from .dialog import Dialog
    from .message import Response
    from .transaction import ClientTransaction

    Authorize = Callable[[Response, Request], tuple[str, str] | None]

CREDENTIALS = frozenset({"Authorization", "Proxy-Authorization"})
_OF_THE_DIALOG = frozenset({"Via", "Route", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Contact"})


def send_inside(
    agent: Agent,
    dialog: Dialog,
    owner: object,
    now: float,
    *,
    method: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> ClientTransaction:
    """Send a request inside a dialog, with our Contact."""
    request = dialog.request(method)
    hop = agent.next_hop(dialog)
    request.add("Contact", agent.reach.contact(hop, request.uri))
    for name, value in headers:
        request.add(name, value)
    request.body = body
    return agent.send(request, hop, owner, now)


def authorized(
    dialog: Dialog, request: Request, response: Response, authorize: Authorize
) -> list[tuple[str, str]]:
    """Give the headers with which to answer a 401 or 407 (RFC 3261 22.2); none when that was tried or is no use."""
    if any(name in CREDENTIALS for name, _ in request.headers):
        return []
    header = authorize(response, Request(request.method, dialog.request(request.method, cseq=0).uri))
    if header is None:
        return []
    return [header, *(pair for pair in request.headers if pair[0] not in _OF_THE_DIALOG)]
