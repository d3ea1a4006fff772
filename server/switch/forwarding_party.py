"""Calls that a telephone of another system has forwarded to OneNumber, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.one_number.gateway import Diverter, extension_in, forwarding_party
from ...licensing.refusal import Refusal
from ..sip.headers import NameAddr
from ..sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..site.administration import Administration
    from ..site.site import Trunk, User
    from .retargeting import Past


class ForwardingParties:
    """Finds them for one server; `direct_dial` takes a trunk's root off a number."""

    def __init__(
        self, administration: Administration, direct_dial: Callable[[Trunk, str], str | None]
    ) -> None:
        self._administration = administration
        self._direct_dial = direct_dial

    def of(self, trunk: str, number: str, past: Past) -> User | Refusal | None:
        """Return whose call to `number` is his telephone's forwarding, or why nobody's; None for any other call."""
        directory, gate = self._administration.directory, self._administration.gate
        gateway = directory.site.one_number
        if gateway.prefix is not None and number.startswith(gateway.prefix):
            user = directory.by_extension(number.removeprefix(gateway.prefix))
            if user is None:
                return None
            answer = gate.may(user.name, "one_number")
            return answer if isinstance(answer, Refusal) else user
        if number != gateway.number:
            return None
        came_by = next(one for one in directory.site.trunks if one.name == trunk)

        def user_at(diverter: str) -> str | None:
            found = (
                self._direct_dial(came_by, diverter) or diverter
                if gateway.pattern is None
                else extension_in(diverter, gateway.pattern)
            )
            user = directory.by_extension(found or "")
            return None if user is None else user.name

        found = forwarding_party(_diverters(past.diversion), user_at, gate)
        return found if isinstance(found, Refusal) else directory.by_name(found)


def _diverters(values: Sequence[str]) -> list[Diverter]:
    """Read the values of Diversion; a counter that is no number counts for one."""
    diverters = []
    for value in values:
        one = NameAddr.parse(value)
        uri = one.uri
        number = uri.user or "" if isinstance(uri, SipUri) else uri.rest.partition(";")[0]
        counter = one.param("counter") or ""
        is_count = counter.isascii() and counter.isdecimal() and len(counter) < 4
        diverters.append(Diverter(number, int(counter) if is_count else 1))
    return diverters
