"""Session timers (RFC 4028): a call whose far end has vanished ends by itself, and gives up what it occupies.

Every leg that stands holds one. Where the far end knows no session timers we refresh alone, and any answer at all keeps
the call; whoever refreshes does it by UPDATE, or where that is not allowed by a re-INVITE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import proxy

from .option_tags import allows, supports

if TYPE_CHECKING:
    from .agent import Agent
    from .leg import Leg
    from .message import Message, Request, Response
    from .timers import Timer

DEFAULT_S: Final = 1800
LEAST_S: Final = 90
"""The shortest interval that RFC 4028 section 4 allows; what asks for less gets 422 (section 6)."""
LONGEST_S: Final = 86400
TAG: Final = "timer"
TOO_SHORT: Final = 422
TRY_AGAIN_S: Final = 30.0
MOST_UNREACHED: Final = 4
_ENDS_EARLIER_S: Final = 32.0  # section 10: the BYE goes out before the far end's own


class SessionTimer:
    """The session timer of one leg."""

    __slots__ = (
        "_agent", "_by_update", "_far_knows", "_interval_s", "_leg", "_refreshes", "_timer", "_unreached",
    )  # fmt: skip

    def __init__(self, agent: Agent, leg: Leg) -> None:
        self._agent = agent
        self._leg: Leg = proxy(
            leg
        )  # a leg that is over shall go at once, not with the next collection of garbage
        self._interval_s = DEFAULT_S
        self._refreshes = True
        self._far_knows = False
        self._by_update = False
        self._timer: Timer | None = None
        self._unreached = 0

    # -- as server: sections 8 and 9 ---------------------------------------------------------------------------

    def accept(self, request: Request, response: Response, now: float) -> None:
        """Settle the interval in our 2xx to an INVITE or UPDATE, and begin anew."""
        self._learn(request)
        asked_s, refresher = session_expires(request)
        least_s = min_se(request)
        self._interval_s = max(min(asked_s or DEFAULT_S, DEFAULT_S), least_s)
        self._refreshes = not self._far_knows or refresher != "uac"
        response.add("Session-Expires", f"{self._interval_s};refresher={'uas' if self._refreshes else 'uac'}")
        if not self._refreshes:
            response.add("Require", TAG)
        self._begin(now)

    # -- as client: section 7 ----------------------------------------------------------------------------------

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What a re-INVITE or UPDATE of ours asks for."""
        refresher = "uac" if self._refreshes else "uas"
        headers = [("Session-Expires", f"{self._interval_s};refresher={refresher}")]
        if self._interval_s > DEFAULT_S:
            headers.append(("Min-SE", str(self._interval_s)))
        return headers

    def accepted(self, request: Request, response: Response, now: float) -> None:
        """Read what the far end's 2xx settled, and begin anew."""
        self._learn(response)
        settled_s, refresher = session_expires(response)
        self._far_knows = settled_s is not None
        self._interval_s = max(settled_s or session_expires(request)[0] or DEFAULT_S, LEAST_S)
        self._refreshes = refresher != "uas"
        self._begin(now)

    def _learn(self, message: Message) -> None:
        self._far_knows = supports(message, TAG)
        allowed = allows(message, "UPDATE")
        if allowed is not None:
            self._by_update = allowed

    # -- time --------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self.stop()
        self._unreached = 0
        if self._refreshes:
            self._timer = self._agent.timers.set(now + self._interval_s / 2, self._refresh)
        else:
            self._timer = self._agent.timers.set(now + self._ends_after_s, self._leg.expire)

    @property
    def _ends_after_s(self) -> float:
        return self._interval_s - min(_ENDS_EARLIER_S, self._interval_s / 3)

    def stop(self) -> None:
        """End it with its leg."""
        if self._timer is not None:
            self._timer.cancel()

    def _refresh(self, now: float) -> None:
        self.stop()
        self._timer = self._agent.timers.set(
            now + self._ends_after_s - self._interval_s / 2, self._leg.expire
        )
        if self._by_update:
            self._leg.refresh(now)
        else:
            self._leg.ask_for_refresh()

    def on_unreachable(self, now: float) -> None:
        """A request could not be sent: whoever connects and registers anew soon (RFC 5626 4.5) keeps the call."""
        self.stop()
        self._unreached += 1
        again = self._refresh if self._unreached < MOST_UNREACHED else self._leg.expire
        self._timer = self._agent.timers.set(now + TRY_AGAIN_S, again)

    def on_response(self, request: Request, response: Response, now: float) -> None:
        """The final response to a refreshing UPDATE or a re-INVITE came (section 10)."""
        if response.status < 300:
            self.accepted(request, response, now)
        elif response.status == TOO_SHORT and self._interval_s < (least_s := min_se(response)) <= LONGEST_S:
            self._interval_s = least_s
            self._refresh(now)
        elif not self._far_knows:
            self._begin(now)
        elif request.method == "UPDATE":
            self._by_update = False
            self._refresh(now)


def is_too_short(request: Request) -> bool:
    """Whether a request asks for a shorter session than we allow and understands that answer (section 9)."""
    asked_s, _ = session_expires(request)
    return asked_s is not None and asked_s < LEAST_S and supports(request, TAG)


def session_expires(message: Message) -> tuple[int | None, str | None]:
    """Read Session-Expires: seconds, at most a day, and who refreshes (section 4)."""
    value = message.get("session-expires")
    if value is None:
        return None, None
    seconds, *params = (part.strip(" \t").lower() for part in value.split(";"))
    refresher = next(
        (part.partition("=")[2].strip(" \t") for part in params if part.startswith("refresher")), None
    )
    return min(int(seconds), LONGEST_S), refresher


def min_se(message: Message) -> int:
    """Read Min-SE in seconds (section 5)."""
    value = message.get("min-se")
    return LEAST_S if value is None else max(LEAST_S, min(int(value.partition(";")[0]), LONGEST_S))
