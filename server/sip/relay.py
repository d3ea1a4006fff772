"""A request other than INVITE, carried to several targets at once (RFC 3261 16.6 and 16.7, as a back-to-back agent).

The first 2xx is the answer; otherwise the best of the final responses, once all are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .requester import Requester

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agent import Agent
    from .flow import Peer
    from .message import Request, Response
    from .transaction import ClientTransaction


class Relay(Requester):
    """`done` is called once: with the response that counts, or with None when nobody gave one."""

    __slots__ = ("_agent", "_done", "_finals", "_open")

    def __init__(self, agent: Agent, done: Callable[[Response | None], None]) -> None:
        self._agent = agent
        self._done: Callable[[Response | None], None] | None = done
        self._open = 0
        self._finals: list[Response] = []

    def send(self, request: Request, destination: Peer, now: float) -> None:
        """Carry a request, which has its Via already, to one more target."""
        self._open += 1
        self._agent.send_as_is(request, destination, now, self)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """One target answered."""
        if response.status < 200:
            return
        self._open -= 1
        if response.status < 300:
            self._finish(response)
        else:
            self._finals.append(response)
            self._settle()

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """One target did not."""
        self._open -= 1
        self._settle()

    def _settle(self) -> None:
        if not self._open:
            self._finish(min(self._finals, key=_rank, default=None))

    def _finish(self, response: Response | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(response)


def _rank(response: Response) -> int:
    """RFC 3261 16.7 step 6: a 6xx counts before all, then the lowest class."""
    return 0 if response.status >= 600 else response.status // 100
