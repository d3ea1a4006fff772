"""What is dialled, and which policy speaks: from a number and a caller to a `Route`.

Called by the switch for each call, each forwarding and each transfer. Pure but for the look-ups of directory and
registrar; the licence is asked in the features' policies, channels are taken by the switch afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...channels.media.national_tones import NATIONAL_TONES
from ...channels.session import Party
from ...features.attendant.policy import attendant_route
from ...features.dialling.conversion import converted, with_country
from ...features.dialling.conversion import outside as dialled_outside
from ...features.emergency.behaviour import answering_point
from ...features.feature_codes.policy import command_of
from ...features.route import Answer, Forwarding, Leave, Refuse, Ring, Route
from ...features.softphone.account import owner_of
from ...features.softphone.policy import may_use_softphone
from ...features.telephone.policy import forwarding_for
from ...features.telephone.settings import CALL_WAITING, DO_NOT_DISTURB
from ...features.test_numbers.policy import test_route
from ...features.voicemail.policy import leave_route, listen_route, shared_route
from ...features.voicemail.settings import Listening
from ...licensing.refusal import Refusal
from ..site.declared import chosen
from .circumstances import circumstances_of
from .forwarding_party import ForwardingParties
from .reception import Reception
from .telephones import Telephones

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...features.dialling.settings import Dialling
    from ...features.feature_codes.policy import Command
    from ..clock import Clock
    from ..sip.registrar import Registrar
    from ..site.administration import Administration
    from ..site.site import Trunk, User
    from ..store.sounds import Sounds
    from .box_owners import BoxOwners
    from .boxes import Boxes
    from .retargeting import Past

_DIALLED = re.compile(r"\+?[0-9]{1,32}")
UNKNOWN = Refuse(Refusal("number.unknown"))


class Router:
    """Routes for one server; `passed_over(user, what, refusal)` is told of what may not ring for him."""

    def __init__(
        self,
        administration: Administration,
        registrar: Registrar,
        boxes: Boxes,
        sounds: Sounds,
        clock: Clock,
        *,
        owners: BoxOwners,
        passed_over: Callable[[str, str, Refusal], None],
    ) -> None:
        self._administration = administration
        self._boxes = boxes
        self._owners = owners
        self._reception = Reception(administration, sounds)
        self._clock = clock
        self._forwarding_parties = ForwardingParties(administration, self.direct_dial)
        self._telephones = Telephones(
            administration, registrar, clock, way_out=self._beside, passed_over=passed_over
        )

    def route(
        self, caller: Party, number: str, *, forwarded: bool = False, dialled_by: str | None = None
    ) -> Route:
        """Say what a call to `number` leads to; a trunk's call may leave by a trunk only where it is forwarded.

        `dialled_by` is the user who chose the number, in the way of his location, where that is not the caller.
        """
        from_trunk = caller.trunk is not None and not forwarded
        if self._is_emergency(number) and not from_trunk:
            return self._emergency(number)
        return (
            self._inside(caller, number, forwarded=forwarded)
            or self._test(number)
            or (
                UNKNOWN
                if from_trunk
                else self._by_name(caller, number) or self._outside(caller, number, dialled_by)
            )
        )

    def forwarded_here(self, caller: Party, number: str, past: Past) -> Route | None:
        """Ring whose telephone in another system has forwarded a trunk's call to OneNumber; None for any other call."""
        if caller.trunk is None:
            return None
        found = self._forwarding_parties.of(caller.trunk, number, past)
        if found is None or isinstance(found, Refusal):
            return None if found is None else Refuse(found)
        return self._telephones.of_extension(found, _forwarding(found, caller))

    def command(self, caller: Party, number: str) -> Command | Refusal | None:
        """Say what an account of the house asks for by a feature code; None when `number` is none."""
        if caller.user is None:
            return None
        directory = self._administration.directory
        return command_of(caller.user, number, directory.site.feature_codes, directory)

    def _emergency(self, number: str) -> Route:
        """Nobody is asked for a licence; only a trunk that is meant for it carries the call away."""
        trunks = self._administration.directory.site.trunks
        way_out = next((trunk.name for trunk in trunks if trunk.emergency and trunk.uri), None)
        return Leave(way_out, number) if way_out else Answer(answering_point)

    def direct_dial(self, trunk: Trunk, number: str) -> str | None:
        """Take the trunk's root off a number from outside, in whatever form it comes; None when it is not there."""
        if number.startswith(trunk.numbers):
            return number[len(trunk.numbers) :]
        plan = self._administration.directory.dialling_of(None)
        if plan is None or not trunk.numbers:
            return None
        whole, root = with_country(number, plan), with_country(trunk.numbers, plan)
        return whole[len(root) :] if whole.startswith(root) else None

    def refuses_caller(self, caller: Party, number: str) -> Refusal | None:
        """Say why a softphone may not call; emergency numbers always may be."""
        is_softphone = caller.user is not None and not caller.extension and caller.trunk is None
        if not is_softphone or self.is_for_emergency(number):
            return None
        return may_use_softphone(caller.number, self._administration.gate)

    def one_device(self, user: User, to: str) -> Ring | Refusal | None:
        """Ring one telephone of a user, an account or a number of his profile; None when it is none of his."""
        return self._telephones.one(user, to)

    def is_for_emergency(self, dialled: str) -> bool:
        """Whether whoever dials this, with or without the digit for an outside line, may be kept from it by nothing."""
        return dialled in self.emergency_numbers()

    def emergency_numbers(self) -> frozenset[str]:
        """Every way to dial an emergency number."""
        site = self._administration.directory.site
        prefixes = {"", *(one.outbound_prefix or "" for one in site.trunks if one.uri is not None)}
        prefixes |= {plan.exit_code for plan in site.dialling}
        return frozenset(prefix + number for prefix in prefixes for number in site.numbers.emergency)

    def _is_emergency(self, number: str) -> bool:
        return number in self._administration.directory.site.numbers.emergency

    def _inside(self, caller: Party, number: str, *, forwarded: bool) -> Route | None:
        """Find extensions, attendants and voicemail; a fax number is one that nobody answers yet."""
        directory, gate = self._administration.directory, self._administration.gate
        voicemail = directory.site.voicemail
        user = directory.by_extension(number)
        if user is not None:
            return self._telephones.of_extension(user, _forwarding(user, caller))
        attendant = directory.attendant(number)
        if attendant is not None:
            now = circumstances_of(caller, number, directory, self._clock)
            place = directory.place_of(attendant.name)
            unit = directory.site.licensing.aa_limit_unit
            return attendant_route(
                attendant, self._reception, now, directory.calendars, gate, number=place, unit=unit
            )
        if number == voicemail.extension:
            own = None if caller.trunk is not None else caller.user
            return listen_route(own, gate, self._boxes, self._owners, self._listening)
        if voicemail.direct_prefix and number.startswith(voicemail.direct_prefix):
            user = directory.by_extension(number[len(voicemail.direct_prefix) :])
            return self._box(user, None if forwarded else caller.user) if user is not None else UNKNOWN
        return UNKNOWN if directory.by_fax(number) is not None else None

    @property
    def _listening(self) -> Listening:
        voicemail = self._administration.directory.site.voicemail
        return Listening(voicemail.pin_from_own_phone, hairpin=voicemail.transfer == "hairpin")

    def _box(self, user: User, member: str | None) -> Route:
        """Whoever dials a box that is shared with him hears it; everybody else leaves a message."""
        gate, boxes = self._administration.gate, self._boxes
        shared = shared_route(member, user.name, gate, boxes, self._owners, self._listening)
        return shared or leave_route(user.name, gate, boxes)

    def _by_name(self, caller: Party, name: str) -> Route | None:
        """Ring the softphone `sip:NAME`, or the mobile one."""
        user = self._administration.directory.by_name(owner_of(name))
        if user is None:
            return None
        refusal = may_use_softphone(name, self._administration.gate)
        if refusal is not None:
            return Refuse(refusal)
        return self._telephones.of_softphone(user, name, _forwarding(user, caller))

    def _beside(self, user: User, number: str) -> Route:
        """Choose the trunk to a number that rings beside a user's telephones: never to an emergency."""
        route = self._outside(Party(user.extension, user=user.name), number, None)
        is_emergency = self.is_for_emergency(number) or (
            isinstance(route, Leave) and self._is_emergency(route.number)
        )
        return UNKNOWN if is_emergency or isinstance(route, Answer) else route

    def _test(self, number: str) -> Route | None:
        site = self._administration.directory.site
        settings = site.test_numbers
        if not settings.enabled or not number.startswith(settings.prefix):
            return None
        return test_route(number[len(settings.prefix) :], NATIONAL_TONES[site.server.tones])

    def _outside(self, caller: Party, number: str, dialled_by: str | None) -> Route:
        """Choose the trunk for a number that leaves the house, and write it as that trunk wants it."""
        if not _DIALLED.fullmatch(number):
            return UNKNOWN
        directory = self._administration.directory
        plan = directory.dialling_of(dialled_by or caller.user)
        outside = _begins_outside(number) if plan is None else dialled_outside(number, plan)
        if outside is not None and self._is_emergency(outside):
            return self._emergency(outside)
        for trunk in directory.site.trunks:
            prefix = trunk.outbound_prefix
            rest = outside
            if prefix and not (plan is not None and number.startswith("+")):
                rest = number[len(prefix) :] if number.startswith(prefix) else None
            if rest is not None and trunk.uri is not None:
                return self._leave(caller, trunk, rest, plan)
        return UNKNOWN if outside is None else Refuse(Refusal("trunk.none", facts={"number": number}))

    def _leave(self, caller: Party, trunk: Trunk, number: str, plan: Dialling | None) -> Route:
        """Let a call out, unless it is one of our own numbers that was dialled as from outside."""
        if self._is_emergency(number):
            return self._emergency(number)
        if plan is None:
            return Leave(trunk.name, number)
        for one in self._administration.directory.site.trunks:
            own = self.direct_dial(one, with_country(number, plan)) if one.numbers else None
            inside = self._inside(caller, own, forwarded=True) if own else None
            if inside is not None:
                return inside
        form = trunk.number_format
        return Leave(trunk.name, number if form == "as_dialled" else converted(number, form, plan))


def _begins_outside(number: str) -> str | None:
    """Return a number that leaves the house where no dial parameters say which do."""
    return number if number.startswith(("0", "+")) else None


def _forwarding(user: User, caller: Party) -> Forwarding:
    """What a user has set for calls as that of `caller`."""
    if not user.settings:
        return forwarding_for(caller, user.forward)
    return forwarding_for(
        caller,
        user.forward,
        do_not_disturb=chosen(user, DO_NOT_DISTURB) is True,
        call_waiting=chosen(user, CALL_WAITING) is not False,
    )
