"""Our registration at somebody else's registrar (RFC 3261 section 10.2): kept while it lasts, begun anew when it fails.

Whoever has a trunk that wants it holds one. It refreshes before the time is over, answers challenges with the trunk's
own account, and waits longer after each failure (RFC 5626 section 4.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from .grammar import SipSyntaxError
from .headers import NameAddr, read_seconds
from .message import Request
from .requester import Requester
from .uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from .agent import Agent
    from .authorize import Authorizer
    from .flow import Peer
    from .message import Response
    from .timers import Timer
    from .transaction import ClientTransaction

ASKED_S: Final = 3600
LEAD_S: Final = 32.0  # a refresh has until timer F to get through, RFC 3261 17.1.2.2
FIRST_WAIT_S: Final = 30.0
LONGEST_WAIT_S: Final = 1800.0
LONGEST_ASKED_S: Final = 86_400
UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class Registered:
    """The registrar has taken it, for `expires_s` seconds."""

    expires_s: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """It is not, or no longer: the final response was `status`, 0 for one that we took back."""

    status: int


class Registration(Requester):
    """`registrar` is reached at one of `destinations`; `told` hears of each change, and of each failure.

    `seek` is called when it is time to try again after a failure, and calls `start` with the destinations of then.
    """

    __slots__ = (
        "_account", "_agent", "_asked_s", "_authorize", "_call_id", "_challenges", "_cseq", "_destinations",
        "_failures", "_leaving", "_others", "_random", "_registrar", "_retry", "_seek", "_told", "is_registered",
    )  # fmt: skip

    def __init__(
        self,
        agent: Agent,
        registrar: SipUri,
        destinations: Sequence[Peer],
        *,
        account: str,
        authorize: Authorizer,
        random: Random,
        told: Callable[[Registered | Unregistered], None],
        seek: Callable[[float], None] | None = None,
    ) -> None:
        self._seek = seek or self.start
        self._agent = agent
        self._registrar = replace(registrar, user=None)
        self._destinations = self._others = destinations
        self._account = account
        self._authorize = authorize
        self._random = random
        self._told = told
        self._call_id = agent.new_call_id()
        self._cseq = 0
        self._asked_s = ASKED_S
        self._challenges = 0
        self._failures = 0
        self._retry: Timer | None = None
        self._leaving = False
        self.is_registered = False

    def start(self, now: float) -> None:
        """Register, from now on."""
        self._challenges = 0
        if self._others:
            self._send(self._asked_s, None, now)
        else:
            self._fail(UNAVAILABLE, now, 0)

    def move(self, destinations: Sequence[Peer]) -> None:
        """Reach the registrar at other places from the next attempt on."""
        self._destinations = self._others = destinations

    def stop(self, now: float) -> None:
        """Take the registration back, if there is one (RFC 3261 10.2.2)."""
        if self._retry is not None:
            self._retry.cancel()
        self._leaving = True
        self._challenges = 0
        if self.is_registered:
            self._send(0, None, now)

    # -- what the agent tells ----------------------------------------------------------------------------------

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The registrar answered."""
        status = response.status
        if status < 200:
            return
        if status in (401, 407) and self._challenges < 2:  # the second one is for a nonce that is stale
            self._challenges += 1
            header = self._credentials(response)
            if header is not None:
                self._send(0 if self._leaving else self._asked_s, header, now)
                return
        if status == 423 and self._ask_longer(response):
            self._send(self._asked_s, None, now)
        elif self._leaving:
            self._lose(0)
        elif status < 300:
            self._keep(self._granted_s(response), now)
        elif status != UNAVAILABLE or not self._goes_elsewhere(now):
            self._fail(status, now, read_seconds(response.get("retry-after")) or 0)

    def on_unanswered(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """The registrar did not."""
        if self._leaving:
            self._lose(0)
        elif not self._goes_elsewhere(now):
            self._fail(status, now, 0)

    # -- inside ------------------------------------------------------------------------------------------------

    def _goes_elsewhere(self, now: float) -> bool:
        """Try the next place where the registrar may be found (RFC 3263 4.3)."""
        if len(self._others) < 2:
            return False
        self._others = self._others[1:]
        self.start(now)
        return True

    def _send(self, expires_s: int, credentials: tuple[str, str] | None, now: float) -> None:
        self._cseq += 1
        request = self._request(expires_s)
        if credentials is not None:
            request.add(*credentials)
        self._agent.send(request, self._others[0], self, now)

    def _request(self, expires_s: int) -> Request:
        address = NameAddr("", replace(self._registrar, user=self._account, port=None, params=()))
        return Request(
            "REGISTER",
            str(self._registrar),
            [
                ("Max-Forwards", "70"),
                ("From", str(address.with_tag(self._agent.new_tag()))),
                ("To", str(address)),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", str(self._contact)),
                ("Expires", str(expires_s)),
            ],
        )

    @property
    def _contact(self) -> NameAddr:
        ours = NameAddr.parse(self._agent.reach.contact(self._others[0], str(self._registrar)))
        return NameAddr("", replace(ours.uri, user=self._account)) if isinstance(ours.uri, SipUri) else ours

    def _credentials(self, response: Response) -> tuple[str, str] | None:
        try:
            return self._authorize(response, self._request(0))
        except SipSyntaxError:
            return None

    def _ask_longer(self, response: Response) -> bool:
        """RFC 3261 10.2.8: 423 tells the least that may be asked for."""
        least_s = read_seconds(response.get("min-expires")) or 0
        if self._leaving or not self._asked_s < least_s <= LONGEST_ASKED_S:
            return False
        self._asked_s = least_s
        return True

    def _granted_s(self, response: Response) -> int:
        """How long the registrar says that our Contact lasts (RFC 3261 10.2.4)."""
        try:
            ours = self._contact.uri
            lasts = [one.expires_s for one in response.contacts if one.uri.same(ours)]
            granted_s = next((one for one in lasts if one is not None), response.expires)
        except SipSyntaxError:
            granted_s = None
        return self._asked_s if granted_s is None else min(granted_s, LONGEST_ASKED_S)

    def _keep(self, granted_s: int, now: float) -> None:
        if not granted_s:
            self._fail(200, now, 0)
            return
        self._failures = 0
        refresh_s = max(granted_s - LEAD_S, granted_s / 2)
        self._retry = self._agent.timers.set(now + refresh_s, self.start)
        if not self.is_registered:
            self.is_registered = True
            self._told(Registered(granted_s))

    def _fail(self, status: int, now: float, retry_after_s: int) -> None:
        """Try again later: twice as late each time, never for all at once (RFC 5626 section 4.5)."""
        self._others = self._destinations
        longest_s = min(FIRST_WAIT_S * 2**self._failures, LONGEST_WAIT_S)
        self._failures = min(self._failures + 1, 10)
        wait_s = max(self._random.uniform(0.5, 1.0) * longest_s, min(retry_after_s, LONGEST_WAIT_S))
        self._retry = self._agent.timers.set(now + wait_s, self._seek)
        self._lose(status)

    def _lose(self, status: int) -> None:
        self.is_registered = False
        self._told(Unregistered(status))
