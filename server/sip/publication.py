"""Published event state (RFC 3903): each publication of an account has an entity tag, which changes with every PUBLISH.

Called with requests that are authenticated and allowed already; pure but for what it holds and the timers it sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from .registrar import ExpiryLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from .agent import Agent
    from .message import Request, Response
    from .timers import Timer

T = TypeVar("T")
MOST_OF_AN_ACCOUNT: Final = 10
RETRY_AFTER_S: Final = "60"
LIMITS: Final = ExpiryLimits()


@dataclass(frozen=True, slots=True)
class _Publication(Generic[T]):
    state: T
    expiry: Timer


class Publications(Generic[T]):
    """The publications of one event package.

    `read` makes the state of a body of `content_type`, or raises `SipSyntaxError`; `changed(account)` is called when
    what an account publishes is another.
    """

    def __init__(
        self,
        content_type: str,
        read: Callable[[bytes], T],
        changed: Callable[[str], None],
    ) -> None:
        self._content_type = content_type
        self._read = read
        self._changed = changed
        self._published: dict[str, dict[str, _Publication[T]]] = {}

    def states(self, account: str) -> list[T]:
        """Return what an account publishes now, newest first."""
        return [one.state for one in self._published.get(account, {}).values()][::-1]

    def publish(self, agent: Agent, account: str, request: Request, now: float) -> Response:
        """Follow RFC 3903 section 6: publish, refresh, modify or remove; raises `SipSyntaxError` for a bad body."""
        etag, expires_s = request.get("sip-if-match"), LIMITS.granted(request.expires)
        known = self._published.get(account, {})
        old = known.get(etag) if etag is not None else None
        if etag is not None and old is None:
            return self._refused(agent, request, 412)
        if expires_s is None:
            return self._refused(agent, request, 423, ("Min-Expires", str(LIMITS.least_s)))
        if old is None and not request.body:
            return self._refused(agent, request, 400)
        if request.body and request.content_type != self._content_type:
            return self._refused(agent, request, 415, ("Accept", self._content_type))
        if old is None and len(known) >= MOST_OF_AN_ACCOUNT:
            return self._refused(agent, request, 503, ("Retry-After", RETRY_AFTER_S))
        state = self._read(request.body) if request.body else None
        if etag is not None:
            self._forget(account, etag)
        response = request.respond(200, to_tag=agent.new_tag())
        response.add("Expires", str(expires_s))
        new = agent.new_tag()
        response.add("SIP-ETag", new)
        kept = old.state if state is None and old is not None else state
        if expires_s and kept is not None:
            expiry = agent.timers.set(now + expires_s, self._expire, account, new)
            self._published.setdefault(account, {})[new] = _Publication(kept, expiry)
        if request.body or not expires_s:
            self._changed(account)
        return response

    @staticmethod
    def _refused(agent: Agent, request: Request, status: int, *headers: tuple[str, str]) -> Response:
        response = request.respond(status, to_tag=agent.new_tag())
        for name, value in headers:
            response.add(name, value)
        return response

    def _forget(self, account: str, etag: str) -> None:
        known = self._published[account]
        known.pop(etag).expiry.cancel()
        if not known:
            del self._published[account]

    def _expire(self, account: str, etag: str, _now: float) -> None:
        self._forget(account, etag)
        self._changed(account)
