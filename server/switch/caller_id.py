"""Who a call is shown to come from: at a telephone of the house, and at a trunk's far end.

Trunks are trusted with identities (RFC 3325) and telephones are not: what a trunk asserts counts, what a telephone
asserts is not read, and asserted identities go to trunks only. Forwardings are told by Diversion (RFC 5806).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ...channels.session import Party
from ..sip.headers import NameAddr
from ..sip.message import SipSyntaxError
from ..sip.uri import OtherUri, SipUri

if TYPE_CHECKING:
    from ..sip.message import Request
    from ..site.administration import Administration
    from ..site.site import Trunk, User

ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""RFC 3323 section 4.1.1.3."""
MOST_DIVERSIONS: Final = 10
_REASONS: Final = {
    "user.busy": "user-busy",
    "call.rejected": "deflection",
    "user.no_answer": "no-answer",
    "user.not_registered": "unavailable",
}


@dataclass(frozen=True, slots=True)
class Diversion:
    """A user's forwarding that a call took, and the reason code of what led to it."""

    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The From of an INVITE, without its tag, and what else tells of the caller."""

    from_: str
    headers: tuple[tuple[str, str], ...] = ()


class CallerIds:
    """Shows callers for one site."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    def inside(self, party: Party, diversions: list[Diversion], before: tuple[str, ...] = ()) -> Shown:
        """Show a caller at a telephone of the house; `before` are the Diversion values that the call came with."""
        told = [self._diversion(one, "") for one in diversions]
        return Shown(self._from(party), _diverted(told, before))

    def outside(
        self, trunk: Trunk, party: Party, diversions: list[Diversion], before: tuple[str, ...] = ()
    ) -> Shown:
        """Show a caller at a trunk's far end: one of the house by the direct-dial number, for which we answer."""
        told = [self._diversion(one, trunk.numbers) for one in diversions]
        user = self._user(party.user)
        if user is None:
            return Shown(self._from(party), _diverted(told, before))
        identity = str(NameAddr(party.name, self._uri(trunk.numbers + user.extension)))
        headers = [("P-Asserted-Identity", identity), *_diverted(told, before)]
        if party.private:
            headers.append(("Privacy", "id"))
        return Shown(ANONYMOUS if party.private else identity, tuple(headers))

    def _from(self, party: Party) -> str:
        return ANONYMOUS if party.private else str(NameAddr(party.name, self._uri(party.number)))

    def _diversion(self, diversion: Diversion, root: str) -> str:
        user = self._user(diversion.user)
        number = diversion.user if user is None else root + user.extension
        return f"<{self._uri(number)}>;reason={_REASONS.get(diversion.reason, 'unknown')}"

    def _user(self, name: str | None) -> User | None:
        return None if name is None else self._administration.directory.by_name(name)

    def _uri(self, number: str) -> SipUri:
        return SipUri("sip", number, self._administration.directory.site.server.domain)


def caller_from_outside(trunk: Trunk, request: Request) -> Party:
    """Return the caller that a trunk's peer names: the asserted identity, unless it is to be hidden (RFC 3325 9.1)."""
    asserted = None if wants_privacy(request) else _asserted(request)
    caller = asserted or request.from_
    number = None
    if isinstance(caller.uri, SipUri):
        number = caller.uri.user
    elif caller.uri.scheme == "tel":
        number = caller.uri.rest.partition(";")[0]
    return Party(number or "anonymous", caller.display_name, trunk=trunk.name)


def called_from_outside(trunk: Trunk, request: Request, called: str) -> str:
    """Return the number that a trunk's peer calls.

    Whoever registers is called at the contact of the registration (RFC 3261 10.2.1); the number is then in To.
    """
    if not trunk.register or called != trunk.username:
        return called
    to = request.to.uri
    return (to.user if isinstance(to, SipUri) else to.rest.partition(";")[0]) or called


def with_privacy(party: Party, request: Request) -> Party:
    """Note that a caller of the house does not want to be shown."""
    return replace(party, private=True) if wants_privacy(request) else party


def wants_privacy(request: Request) -> bool:
    """Whether Privacy asks to hide the asserted identity (RFC 3325 9.3)."""
    value = request.get("privacy")
    return value is not None and "id" in {one.strip().lower() for one in value.split(";")}


def diversions_of(party: Party, request: Request) -> tuple[str, ...]:
    """Return the Diversion values that a trunk's call came with; malformed ones are dropped."""
    if party.trunk is None or request.get("diversion") is None:
        return ()
    try:
        values = request.values("diversion")[:MOST_DIVERSIONS]
        for value in values:
            NameAddr.parse(value)
    except SipSyntaxError:
        return ()
    return tuple(values)


def _asserted(request: Request) -> NameAddr | None:
    """The SIP identity that is asserted, or else the telephone number (RFC 3325 9.1)."""
    found = [NameAddr.parse(value) for value in request.values("p-asserted-identity")]
    tel = [one for one in found if isinstance(one.uri, OtherUri) and one.uri.scheme == "tel"]
    sip = [one for one in found if isinstance(one.uri, SipUri) and one.uri.user]
    return next(iter(sip or tel), None)


def _diverted(told: list[str], before: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The last forwarding comes first (RFC 5806 section 4)."""
    return tuple(("Diversion", value) for value in [*told[::-1], *before][:MOST_DIVERSIONS])
