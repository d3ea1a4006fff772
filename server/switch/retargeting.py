"""How a call came to where it rings: its forwardings as Diversion (RFC 5806) and History-Info (RFC 7044).

Both tell the same, to far ends of one age and of the other. What a trunk's call brought along is told on, bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ...features.telephone.policy import ALWAYS
from ..sip.headers import NameAddr
from ..sip.message import SipSyntaxError
from ..sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...channels.session import Party
    from ..sip.message import Request

MOST: Final = 10
"""Values of each header that a call may bring along."""
_UNTOLD: Final = frozenset({"history", "header"})
_INDEX: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,15}")
FOLLOW_ME: Final = "one_number"
"""What leads to a number outside that rings for a user beside his telephones."""
_REASONS: Final = {
    FOLLOW_ME: ("follow-me", 302),
    ALWAYS: ("unconditional", 302),
    "user.do_not_disturb": ("do-not-disturb", 486),
    "user.busy": ("user-busy", 486),
    "call.rejected": ("deflection", 302),
    "user.no_answer": ("no-answer", 408),
    "user.not_registered": ("unavailable", 404),
}


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A user's forwarding that a call took: his address, and the reason code of what led to it."""

    address: SipUri
    reason: str


@dataclass(frozen=True, slots=True)
class Past:
    """The Diversion and History-Info values with which a call came from a trunk."""

    diversion: tuple[str, ...] = ()
    history: tuple[str, ...] = ()


NO_PAST: Final = Past()


def past_of(party: Party, request: Request) -> Past:
    """Return what a trunk's call brought along; malformed values are dropped, a telephone's are not believed."""
    if party.trunk is None:
        return NO_PAST
    diversion, history = request.get("diversion"), request.get("history-info")
    if diversion is None and history is None:
        return NO_PAST
    return Past(_diversion_in(request), _history_in(request))


def retargeting_headers(
    forwarded: Sequence[Forwarded], target: SipUri, past: Past
) -> tuple[tuple[str, str], ...]:
    """Write the headers of an INVITE to `target`; `forwarded` in the order in which it happened."""
    told = [f"<{one.address}>;reason={_reason(one)[0]}" for one in forwarded]
    diversions = [*told[::-1], *past.diversion][:MOST]  # RFC 5806 4: the last one comes first
    headers = [("Diversion", value) for value in diversions]
    if forwarded or past.history:
        headers += [("History-Info", value) for value in (*past.history, *_entries(forwarded, target, past))]
    return tuple(headers)


def followed_by(diversion: Sequence[str]) -> list[SipUri]:
    """Return for whom a call has rung outside, of those whom Diversion names."""
    values = [NameAddr.parse(value) for value in diversion]
    follow_me, _ = _REASONS[FOLLOW_ME]
    return [one.uri for one in values if isinstance(one.uri, SipUri) and one.param("reason") == follow_me]


def _entries(forwarded: Sequence[Forwarded], target: SipUri, past: Past) -> list[str]:
    """One entry for each target, whose index is one level below that of the target before (RFC 7044 10.3).

    The URI of a target to which somebody forwarded has the cause (RFC 4458).
    """
    before = _index(past.history[-1]) if past.history else ""
    entries, cause = [], None
    for address, status in [*((one.address, _reason(one)[1]) for one in forwarded), (target, None)]:
        uri = address if cause is None else replace(address, params=(*address.params, ("cause", str(cause))))
        index = f"{before}.1" if before else "1"
        mapped = f";mp={before}" if cause is not None else ""
        entries.append(f"<{uri}>;index={index}{mapped}")
        before, cause = index, status
    return entries


def _reason(forwarded: Forwarded) -> tuple[str, int]:
    return _REASONS.get(forwarded.reason, ("unknown", 404))


def _diversion_in(request: Request) -> tuple[str, ...]:
    try:
        values = request.values("diversion")[:MOST]
        for value in values:
            NameAddr.parse(value)
    except SipSyntaxError:
        return ()
    return tuple(values)


def _history_in(request: Request) -> tuple[str, ...]:
    """RFC 7044 10.1: what is to be hidden, as a whole or in one entry, is told to nobody."""
    privacy = (request.get("privacy") or "").lower().split(";")
    try:
        values = request.values("history-info")[:MOST]
        entries = [NameAddr.parse(value) for value in values]
    except SipSyntaxError:
        return ()
    is_hidden = not _UNTOLD.isdisjoint(one.strip() for one in privacy) or any(
        isinstance(one.uri, SipUri) and "privacy" in dict(one.uri.headers) for one in entries
    )
    if is_hidden or not all(_INDEX.fullmatch(one.param("index") or "") for one in entries):
        return ()
    return tuple(values)


def _index(value: str) -> str:
    return NameAddr.parse(value).param("index") or ""
