"""Requests inside dialogs that legs leave to the switch: OPTIONS, INFO and REFER; all others are 405."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sip.capabilities import describe
from ..sip.grammar import SipSyntaxError
from ..sip.info_digits import FLASH, MEDIA_TYPES, read_digit
from .connection import Connection

if TYPE_CHECKING:
    from ..clock import Clock
    from ..net.stack import SipStack
    from ..sip.effects import RequestedInside
    from ..sip.message import Request
    from .transfer import Transfers

Answer = tuple[int, list[tuple[str, str]]]


class Inside:
    """Answers them for one server."""

    def __init__(self, stack: SipStack, clock: Clock, transfers: Transfers) -> None:
        self._transfers = transfers
        self._stack = stack
        self._clock = clock

    def take(self, effect: RequestedInside) -> None:
        """Answer a request; repetitions get the same answer from its transaction."""
        transaction, connection = effect.transaction, effect.leg.owner
        request = transaction.request
        match request.method:
            case _ if connection is None:  # it came with the end of the call
                status, headers = 481, []
            case "OPTIONS":
                status, headers = 200, [("Accept", "application/sdp")]
            case "INFO" if isinstance(connection, Connection):
                status, headers = _info(connection, request)
            case "REFER" if isinstance(connection, Connection):
                refused = self._transfers.take(connection, transaction)
                if refused is None:
                    return
                status, headers = refused, []
            case _:
                status, headers = 405, []
        response = request.respond(status)
        describe(response, b"")
        for name, value in headers:
            response.add(name, value)
        transaction.respond(response, self._clock.now())


def _info(connection: Connection, request: Request) -> Answer:
    """RFC 6086 4.2.2: we know no package; of the older use without one, digits are understood."""
    if request.get("info-package") is not None:
        return 469, [("Recv-Info", "")]
    if not request.body:
        return 200, []
    if request.content_type not in MEDIA_TYPES:
        return 415, [("Accept", ", ".join(MEDIA_TYPES))]
    try:
        digit = read_digit(request.body)
    except SipSyntaxError as error:
        return error.status, []
    if digit != FLASH:
        connection.on_digit(digit)
    return 200, []
