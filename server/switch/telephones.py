"""Which of a user's telephones a call rings: those that are registered, those that can be woken, and numbers outside.

The router asks; licences are asked in the features' policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.one_number.policy import in_order
from ...features.one_number.settings import PROFILE, RING_ALL
from ...features.route import Also, Forwarding, Leave, Refuse, Ring
from ...features.softphone.account import MOBILE, mobile_account
from ...features.softphone.policy import accounts_to_ring, may_use_softphone
from ...features.softphone.settings import WAKE_S
from ...licensing.refusal import Refusal
from ..site.declared import chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...features.one_number.settings import Profile
    from ...features.route import Route
    from ..clock import Clock
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from ..site.site import User


class Telephones:
    """Those of the users of one server; `passed_over(user, what, refusal)` is told what may not ring.

    `way_out` finds the trunk for a number outside, as a user dials it.
    """

    def __init__(
        self,
        administration: Administration,
        registrar: Registrar,
        clock: Clock,
        *,
        way_out: Callable[[User, str], Route],
        passed_over: Callable[[str, str, Refusal], None],
    ) -> None:
        self._administration = administration
        self._registrar = registrar
        self._clock = clock
        self._way_out = way_out
        self._passed_over = passed_over
        self._read: dict[str, tuple[User, Profile | None, float | None]] = {}

    def of_extension(self, user: User, forwarding: Forwarding) -> Ring:
        """Ring what is reached by a user's extension."""
        gate, mobile = self._administration.gate, mobile_account(user.name)
        desk, softphones = self._registered(user.extension), self._registered(user.name, mobile)
        wake_s = self._settings(user)[1] if user.settings and mobile not in softphones else None
        if wake_s is not None:
            softphones += (mobile,)
        accounts, refusals = accounts_to_ring(user.name, desk, softphones, gate)
        for refusal in refusals:
            self._passed_over(user.name, "the softphone", refusal)
        if not user.settings:
            return Ring(user.name, accounts, forwarding)
        asleep: tuple[Also, ...] = ()
        if wake_s is not None and mobile in accounts:
            asleep = (Also(mobile, wake_s=wake_s),)
            accounts = tuple(one for one in accounts if one != mobile)
        profile, outside = self._profile(user)
        first, also = in_order(profile, accounts, asleep, outside, desk=user.extension)
        return Ring(user.name, first, forwarding, also)

    def of_softphone(self, user: User, account: str, forwarding: Forwarding) -> Ring:
        """Ring one softphone of a user, who is licensed for it."""
        accounts = self._registered(account)
        wake_s = self._settings(user)[1] if account.endswith(MOBILE) and not accounts else None
        also = () if wake_s is None else (Also(account, wake_s=wake_s),)
        return Ring(user.name, accounts, forwarding, also)

    def one(self, user: User, to: str) -> Ring | Refusal | None:
        """Ring one telephone of a user, an account or a number of his profile; None when it is none of his."""
        if self._administration.directory.user_of(to) is user:
            if to == user.extension:
                return Ring(user.name, self._registered(to))
            return may_use_softphone(to, self._administration.gate) or self.of_softphone(
                user, to, Forwarding()
            )
        profile, _ = self._settings(user)
        if profile is None or to not in profile.numbers:
            return None
        route = self._way_out(user, to)
        if isinstance(route, Leave):
            return Ring(user.name, (), also=(Also(route, confirm=profile.confirm),))
        return route.refusal if isinstance(route, Refuse) else None

    def _profile(self, user: User) -> tuple[Profile, tuple[Leave, ...]]:
        """Return the user's profile, and where its numbers lead; without the licence it is as if he had none (L-46)."""
        profile, _ = self._settings(user)
        if profile is None:
            return RING_ALL, ()
        answer = self._administration.gate.may(user.name, "one_number")
        if isinstance(answer, Refusal):
            self._passed_over(user.name, "OneNumber", answer)
            return RING_ALL, ()
        return profile, tuple(self._leaving(user, profile.numbers))

    def _leaving(self, user: User, numbers: tuple[str, ...]) -> Iterator[Leave]:
        for number in numbers:
            route = self._way_out(user, number)
            if isinstance(route, Leave):
                yield route
            elif isinstance(route, Refuse):
                self._passed_over(user.name, number, route.refusal)

    def _settings(self, user: User) -> tuple[Profile | None, float | None]:
        """Return a user's profile, and for how long his mobile softphone is waited for, read once until he changes."""
        known = self._read.get(user.name)
        if known is None or known[0] is not user:
            known = self._read[user.name] = (user, chosen(user, PROFILE), chosen(user, WAKE_S))
        return known[1:]

    def _registered(self, *accounts: str) -> tuple[str, ...]:
        now = self._clock.now()
        return tuple(account for account in accounts if self._registrar.bindings(account, now))
