"""The registrar (RFC 3261 section 10): which contacts an address of record has, and until when.

Called by the SIP door with requests that are authenticated and allowed already; pure but for the bindings it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .capabilities import REGISTRAR_SUPPORTED
from .option_tags import supports
from .uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .flow import Peer
    from .headers import NameAddr
    from .message import Request, Response

MOST_CONTACTS = 10
_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class Binding:
    """One registered contact: its URI, where its REGISTER came from, and when it ends.

    `q` says how gladly it is used, from 0 to 1 (RFC 3261 20.10); `path` are the proxies before it (RFC 3327). One that
    `dies_with_flow` ends with the connection that its REGISTER came by (RFC 5626 4.2.1).
    """

    contact: SipUri
    source: Peer
    expires_at: float
    call_id: str
    cseq: int
    q: float = 1.0
    path: tuple[str, ...] = ()
    dies_with_flow: bool = False

    def header(self, now: float) -> str:
        """Return the binding as a Contact value."""
        q = "" if self.q == 1.0 else f";q={self.q:g}"
        return f"<{self.contact}>{q};expires={max(0, round(self.expires_at - now))}"

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """The Route headers of a request to the contact (RFC 3327 section 5.4)."""
        return tuple(("Route", hop) for hop in self.path)


@dataclass(frozen=True, slots=True)
class ExpiryLimits:
    """Seconds that a registration may last; what asks for less is told so (423), what asks for more gets the most."""

    least_s: int = 10
    default_s: int = 3600
    most_s: int = 7200

    def granted(self, asked_s: int | None) -> int | None:
        """Return the seconds that are granted; None when what was asked for is too brief (423)."""
        if asked_s is None:
            return self.default_s
        return None if 0 < asked_s < self.least_s else min(asked_s, self.most_s)


MOBILE = ExpiryLimits(default_s=60, most_s=120)
"""Of a telephone whose system ends what it does not see: it is to come back soon, or to be woken."""


class Registrar:
    """The bindings of every address of record, by the account's user part."""

    def __init__(self, limits: ExpiryLimits = ExpiryLimits()) -> None:
        self._limits = limits
        self._on_flow: dict[Peer, set[str]] = {}
        self._bindings: dict[str, list[Binding]] = {}

    def bindings(self, account: str, now: float) -> list[Binding]:
        """Return the live contacts of an account: the highest q first, among equals the newest."""
        bindings = self._live(account, now)[::-1]
        if len(bindings) > 1:
            bindings.sort(key=lambda binding: -binding.q)
        return bindings

    def accounts(self, now: float) -> Iterator[tuple[str, list[Binding]]]:
        """Every account that has a live contact."""
        for account in list(self._bindings):
            if bindings := self.bindings(account, now):
                yield account, bindings

    def register(
        self, account: str, request: Request, source: Peer, tag: str, now: float, *, mobile: bool = False
    ) -> Response:
        """Follow RFC 3261 10.3 from step 6 on: all of the request's contacts change, or none does.

        `tag` is the response's To tag. What is `mobile` is bound for a short time, and not beyond its connection.
        """
        current = self._live(account, now)
        path = () if request.get("path") is None else tuple(request.values("path"))
        try:
            kept = self._changed(current, request, source, path, now=now, mobile=mobile)
        except _RefusedError as refused:
            response = request.respond(refused.status, to_tag=tag)
            if refused.status == 423:
                response.add("Min-Expires", str(self._limits_of(mobile=mobile).least_s))
            return response
        self._keep(account, kept)
        if mobile:
            self._on_flow.setdefault(source, set()).add(account)
        response = request.respond(200, to_tag=tag)
        for binding in kept:
            response.add("Contact", binding.header(now))
        response.add("Supported", REGISTRAR_SUPPORTED)
        if path and supports(request, REGISTRAR_SUPPORTED):  # RFC 3327 section 5.3
            response.add("Path", ", ".join(path))
        return response

    def lose(self, flow: Peer) -> set[str]:
        """End the bindings that were those of a connection; returns the accounts."""
        accounts = self._on_flow.pop(flow, set())
        for account in accounts:
            bindings = self._bindings.get(account, [])
            self._keep(account, [one for one in bindings if one.source != flow or not one.dies_with_flow])
        return accounts

    def _live(self, account: str, now: float) -> list[Binding]:
        """The contacts that have not run out, in the order in which they came."""
        bindings = self._bindings.get(account, [])
        if any(b.expires_at <= now for b in bindings):
            bindings = [b for b in bindings if b.expires_at > now]
            self._keep(account, bindings)
        return bindings

    def _limits_of(self, *, mobile: bool) -> ExpiryLimits:
        return MOBILE if mobile else self._limits

    def _keep(self, account: str, bindings: list[Binding]) -> None:
        if bindings:
            self._bindings[account] = bindings
        else:
            self._bindings.pop(account, None)

    def _changed(
        self,
        current: list[Binding],
        request: Request,
        source: Peer,
        path: tuple[str, ...],
        *,
        now: float,
        mobile: bool,
    ) -> list[Binding]:
        call_id, cseq = request.call_id, request.cseq.number
        if request.contact_star:
            if request.expires != 0:
                raise _RefusedError(400)
            if any(_out_of_order(b, call_id, cseq) for b in current):
                raise _RefusedError(500)
            return []
        kept = list(current)
        for contact in request.contacts:
            uri = contact.uri
            if not isinstance(uri, SipUri):
                raise _RefusedError(400)
            lasts_s = _lasts_s(contact, request, self._limits_of(mobile=mobile))
            if any(b.contact.same(uri) and _out_of_order(b, call_id, cseq) for b in current):
                raise _RefusedError(500)
            kept = [b for b in kept if not b.contact.same(uri)]
            if lasts_s:
                ends_at, q = now + lasts_s, _q(contact)
                kept.append(Binding(uri, source, ends_at, call_id, cseq, q, path, dies_with_flow=mobile))
        if len(kept) > MOST_CONTACTS:
            raise _RefusedError(403)
        return kept


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _lasts_s(contact: NameAddr, request: Request, limits: ExpiryLimits) -> int:
    asked_s = contact.expires_s
    granted_s = limits.granted(request.expires if asked_s is None else asked_s)
    if granted_s is None:
        raise _RefusedError(423)
    return granted_s


def _q(contact: NameAddr) -> float:
    """How gladly a contact is used; without a q as gladly as can be (RFC 3261 20.10)."""
    text = contact.param("q")
    if text is None:
        return 1.0
    if _QVALUE.fullmatch(text) is None:
        raise _RefusedError(400)
    return float(text)


def _out_of_order(binding: Binding, call_id: str, cseq: int) -> bool:
    """RFC 3261 10.3 step 7: an older or repeated CSeq of the same Call-ID changes nothing."""
    return binding.call_id == call_id and cseq <= binding.cseq
