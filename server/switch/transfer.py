"""Transfers that a telephone asks for by REFER (RFC 3515, RFC 5589): blind, or to somebody it talks to already.

The switch carries them out itself: who is transferred gets no REFER and keeps his leg. To routing and licensing he is
the caller of a new call; whoever transferred leaves once it stands, and learns by NOTIFY how it went.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from ...features.feature_codes.policy import Confer, Park
from ...features.route import Final
from ...licensing.reasons import reason_for
from ...licensing.refusal import Refusal
from ..sip.grammar import SipSyntaxError
from ..sip.refer import Referral, ReferTo
from ..sip.sdp import Direction
from .bridge import Bridge
from .conference import Conference
from .connection import Connection
from .dialler import Errand, Reached
from .domain import is_ours
from .events import CallTransferred
from .explain import refusal_headers
from .party import party_of
from .ringing import NotTaken, Taken

if TYPE_CHECKING:
    from ...channels.session import Party
    from ..net.stack import SipStack
    from ..sip.message import Response
    from ..sip.refer import Replaces
    from ..sip.transaction import ServerTransaction
    from ..site.administration import Administration
    from .dialler import Dialler, Found
    from .switch import Switch
    from .work import Works

FORBIDDEN, GONE, CANCELLED, PENDING, DECLINED = 403, 481, 487, 491, 603


class Transfer(Bridge):
    """One transfer under way: the two still talk, until somebody answers whom the one is transferred to."""

    def __init__(
        self, switch: Switch, transferor: Connection, transferee: Connection, referral: Referral
    ) -> None:
        super().__init__(transferor, transferee)
        self._switch = switch
        self._transferor = transferor
        self._transferee = transferee
        self._referral = referral

    def on_direction(self, connection: Connection) -> None:
        """Who is transferred hears it ringing; whom else he may hear is settled at the end of the transfer."""
        self._pass_on_digits()

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """Without who is transferred there is nothing to do; whoever transfers may leave."""
        if connection is self._transferee:
            self.tell(CANCELLED)
            self._transferor.hang_up(connection.cause)

    def others(self, connection: Connection) -> list[Connection]:
        """Nobody, until the transfer is over."""
        return []

    def tell(self, status: int, headers: list[tuple[str, str]] | None = None) -> None:
        """Let whoever transfers know how it goes."""
        self._referral.tell(status, self._switch.clock.now(), headers)
        self._switch.flush()

    def ring_back(self) -> None:
        """Who is transferred is held no longer and hears it ringing."""
        self.speak_by_the_plane()
        self._transferee.renegotiation.follow(Direction.SENDRECV)
        if self._transferee.stream is not None:
            self._transferee.stream.play((self._switch.tones.ringback,))

    def done(self, headers: list[tuple[str, str]] | None = None) -> None:
        """Somebody has taken the call: whoever transferred leaves."""
        self.tell(200, headers)
        self._transferor.listener = None
        self._transferor.hang_up()

    def fail(self, refusal: Refusal, status: int, headers: list[tuple[str, str]]) -> None:
        """Nobody did: both talk again, or the one who is left hears why not."""
        self.tell(status, headers)
        if self._transferor.is_over:
            self._transferee.refuse(refusal)
        else:
            if self._transferee.stream is not None:
                self._transferee.stream.stop_playing()
            Bridge(self._transferor, self._transferee).begin()


class Transfers:
    """The transfers of one switch."""

    def __init__(
        self, switch: Switch, administration: Administration, dialler: Dialler, stack: SipStack, works: Works
    ) -> None:
        self._works = works
        self._switch = switch
        self._administration = administration
        self._dialler = dialler
        self._stack = stack

    def take(self, connection: Connection, transaction: ServerTransaction) -> int | None:
        """Take a REFER inside a dialog; returns the status with which it is refused, None once it is accepted."""
        bridge, leg = connection.listener, connection.leg
        try:
            target = ReferTo.of(transaction.request)
        except SipSyntaxError as error:
            return error.status
        by = self.party_of(connection)
        if isinstance(bridge, Transfer):
            return PENDING
        if not isinstance(bridge, Bridge) or leg is None or leg.dialog is None:
            return DECLINED
        if by.trunk is not None:
            return FORBIDDEN  # nobody outside places calls at the expense of the house
        transferee = bridge.other(connection)
        referral = Referral(self._stack.agent, leg.dialog, transaction, self._switch.clock.now())
        if target.replaces is None and self._is_conference(target, by):
            self._confer(connection, referral, by)
            return None
        transfer = Transfer(self._switch, connection, transferee, referral)
        number: str | None = target.uri.user or ""
        if target.replaces is not None:
            number = self._join(transfer, by, transferee, target.replaces)
        elif not is_ours(target.uri, self._administration.directory.site.server.domain):
            self._fail(transfer, Refusal("number.unknown"), transferee, f"{number}@{target.uri.host}")
            number = None
        command = None if number is None else self._switch.router.command(by, number)
        if isinstance(command, Park):
            self._park(transfer, by, transferee, command.slot)
        elif number is not None:
            transfer.ring_back()
            work = self._carry_out(transfer, by, transferee, number)
            transferee.work = self._works.start(work, transferee)
        return None

    def _is_conference(self, target: ReferTo, by: Party) -> bool:
        domain = self._administration.directory.site.server.domain
        command = self._switch.router.command(by, target.uri.user or "")
        return isinstance(command, Confer) and is_ours(target.uri, domain)

    def _confer(self, connection: Connection, referral: Referral, by: Party) -> None:
        """Join the call with the other one of whoever asks; he stays, unless he is in the conference already."""

        def tell(status: int = 200, headers: list[tuple[str, str]] | None = None) -> None:
            referral.tell(status, self._switch.clock.now(), headers)

        joined = self._switch.conferences.by_referral(connection, tell)
        if isinstance(joined, Refusal):
            call_id, mint = connection.call.id, self._switch.decisions.mint
            decision = mint(joined, f"conference of {call_id}", call_id=call_id, user=by.user)
            tell(reason_for(joined).sip_status or DECLINED, refusal_headers(joined, decision.id))
        self._switch.flush()

    def _park(self, transfer: Transfer, by: Party, transferee: Connection, slot: str | None) -> None:
        """Let who is transferred wait in a slot, which the NOTIFY tells as the place where he is now."""
        parked = self._switch.parkings.park(transferee, by, slot)
        if isinstance(parked, Refusal):
            self._fail(transfer, parked, transferee, "a slot" if slot is None else f"slot {slot}")
        else:
            code = self._administration.directory.site.feature_codes.retrieve
            where = replace(self._dialler.uri_of(by), user=f"{code}{parked}")
            transfer.done([("Contact", f"<{where}>")])

    def party_of(self, connection: Connection) -> Party:
        """Return who is at the far end of a connection."""
        return party_of(connection, self._administration.directory)

    def _join(self, transfer: Transfer, by: Party, transferee: Connection, replaces: Replaces) -> str | None:
        """Join with whom the transferring user talks to by another call; returns the number of one that only rings.

        Of a dialog that is none of his own he learns nothing.
        """
        other_own = self.connection_of(replaces)
        if other_own is None or transferee.call is other_own.call or self.party_of(other_own).user != by.user:
            transfer.fail(Refusal("call.rejected"), GONE, [])
            return None
        bridge, number = other_own.listener, other_own.call.called
        if isinstance(bridge, Conference):
            transfer.fail(Refusal("call.rejected"), DECLINED, [])
            return None
        if not other_own.is_answered or not isinstance(bridge, Bridge):
            other_own.hang_up()  # the same number is asked again, for who is transferred
            return number
        if isinstance(bridge, Transfer):
            transfer.fail(Refusal("call.rejected"), PENDING, [])
            return None
        target, joined = bridge.other(other_own), other_own.call
        ours, theirs = transferee.stream, target.stream
        if ours is not None and theirs is not None and not ours.reaches(theirs):
            self._fail(transfer, Refusal("media.apart"), transferee, number)
            return None
        transferee.call.adopt(target)
        self._switch.stream.publish(CallTransferred(transferee.call.id, by.number, number, joined.id))
        transfer.done()
        other_own.listener = None
        other_own.hang_up()
        Bridge(transferee, target).begin()
        return None

    def connection_of(self, replaces: Replaces) -> Connection | None:
        """Return the live connection whose dialog is named."""
        leg = self._stack.agent.leg(replaces.dialog)
        owner = leg.owner if leg is not None else None
        return owner if isinstance(owner, Connection) and not owner.is_over else None

    async def _carry_out(self, transfer: Transfer, by: Party, transferee: Connection, number: str) -> None:
        party = self.party_of(transferee)
        router = self._switch.router
        refusal = router.refuses_caller(by, number) or router.refuses_caller(party, number)
        found: Found
        if refusal is not None:
            found = NotTaken(refusal)
        else:
            referred_by = ("Referred-By", f"<{self._dialler.uri_of(by)}>")
            errand = Errand(party, (referred_by,))
            route = router.route(party, number, dialled_by=by.user)
            found = await self._dialler.find(transferee, route, errand)
        match found:
            case Taken(target):
                self._moved(transfer, by, transferee, number)
                Bridge(transferee, target).begin()
            case Reached(route):
                leases = self._switch.lease_missing(transferee, route.occupies)
                if isinstance(leases, Refusal):
                    self._fail(transfer, leases, transferee, number)
                    return
                transferee.leases.occupy(leases)
                transferee.leases.release(keep=route.occupies.value)
                self._moved(transfer, by, transferee, number)
                self._switch.run(transferee, route.behaviour, party)
            case NotTaken(refusal):
                self._fail(transfer, refusal, transferee, number)
            case Final(status):
                transfer.fail(Refusal("call.rejected"), status, [])
            case _:
                assert_never(found)

    def _moved(self, transfer: Transfer, by: Party, transferee: Connection, number: str) -> None:
        self._switch.stream.publish(CallTransferred(transferee.call.id, by.number, number, None))
        transfer.done()

    def _fail(self, transfer: Transfer, refusal: Refusal, transferee: Connection, number: str) -> None:
        decision = self._switch.decisions.mint(
            refusal, f"transfer to {number}", call_id=transferee.call.id, user=self.party_of(transferee).user
        )
        status = reason_for(refusal).sip_status or DECLINED
        transfer.fail(refusal, status, refusal_headers(refusal, decision.id))
