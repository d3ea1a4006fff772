"""Who a call is shown to come from: at a telephone of the house, and at a trunk's far end.

Trunks are trusted with identities (RFC 3325) and telephones are not: what a trunk asserts counts, what a telephone
asserts is not read, and asserted identities go to trunks only. Whose forwardings led there is told beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ...channels.session import Party
from ...features.dialling.conversion import converted, shown
from ..sip.headers import NameAddr
from ..sip.uri import OtherUri, SipUri
from .retargeting import NO_PAST, Forwarded, followed_by, retargeting_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..sip.message import Request
    from ..site.administration import Administration
    from ..site.site import Trunk, User
    from .retargeting import Past

ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""RFC 3323 section 4.1.1.3."""


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

    def inside(
        self, party: Party, diversions: Sequence[Diversion] = (), target: str = "", past: Past = NO_PAST
    ) -> Shown:
        """Show a caller at a telephone of the house, of the user `target`: from outside as his location has it."""
        plan = self._administration.directory.dialling_of(target) if party.trunk is not None else None
        if plan is not None:
            party = replace(party, number=shown(party.number, plan))
        if not diversions and past is NO_PAST:
            return Shown(self._from(party))
        forwarded = [Forwarded(self._uri(self._number(one.user)), one.reason) for one in diversions]
        headers = retargeting_headers(forwarded, self._uri(self._number(target)), past)
        return Shown(self._from(party), headers)

    def outside(
        self, trunk: Trunk, party: Party, diversions: Sequence[Diversion], number: str, past: Past
    ) -> Shown:
        """Show a caller at a trunk's far end: one of the house by the direct-dial number, for which we answer."""
        retargeted: tuple[tuple[str, str], ...] = ()
        if diversions or past is not NO_PAST:
            target = replace(SipUri.parse(trunk.uri or ""), user=number)
            numbers = [self._outside_number(trunk, self._user(one.user), one.user) for one in diversions]
            forwarded = [
                Forwarded(self._uri(written), one.reason)
                for written, one in zip(numbers, diversions, strict=True)
            ]
            retargeted = retargeting_headers(forwarded, target, past)
        user = self._user(party.user)
        party = replace(party, number=self._outside_number(trunk, user, party.number))
        if user is None:
            return Shown(self._from(party), retargeted)
        identity = str(NameAddr(party.name, self._uri(party.number)))
        headers = [("P-Asserted-Identity", identity), *retargeted]
        if party.private:
            headers.append(("Privacy", "id"))
        return Shown(ANONYMOUS if party.private else identity, tuple(headers))

    def has_followed(self, name: str, past: Past) -> bool:
        """Whether a call comes back that rang outside for a user: somebody there has forwarded it to him."""
        site, user = self._administration.directory.site, self._user(name)
        numbers = {trunk.numbers + user.extension for trunk in site.trunks} if user is not None else set()
        return any(
            one.user in numbers and one.host == site.server.domain for one in followed_by(past.diversion)
        )

    def _from(self, party: Party) -> str:
        return ANONYMOUS if party.private else str(NameAddr(party.name, self._uri(party.number)))

    def _outside_number(self, trunk: Trunk, user: User | None, otherwise: str) -> str:
        """Return a user's direct-dial number, or somebody else's number, as the trunk wants it written."""
        number = otherwise if user is None else trunk.numbers + user.extension
        plan, form = self._administration.directory.dialling_of(None), trunk.number_format
        return number if plan is None or form == "as_dialled" else converted(number, form, plan)

    def _number(self, name: str) -> str:
        user = self._user(name)
        return name if user is None else user.extension

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


def _asserted(request: Request) -> NameAddr | None:
    """The SIP identity that is asserted, or else the telephone number (RFC 3325 9.1)."""
    found = [NameAddr.parse(value) for value in request.values("p-asserted-identity")]
    tel = [one for one in found if isinstance(one.uri, OtherUri) and one.uri.scheme == "tel"]
    sip = [one for one in found if isinstance(one.uri, SipUri) and one.uri.user]
    return next(iter(sip or tel), None)
