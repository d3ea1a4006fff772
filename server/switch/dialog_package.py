"""The event package `dialog` (RFC 4235): the calls of a telephone, for the lamps of others."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from ...features.presence.policy import may_reach
from ..sip.dialog_info import Dialogue, write_dialog_info
from ..sip.headers import NameAddr
from ..sip.subscription import State
from ..sip.uri import SipUri
from .connection_state import ConnectionState
from .events import CallParked, CallUnparked, ConnectionChanged
from .party import party_of
from .watched import watched_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...channels.session import Party
    from ...licensing.refusal import Refusal
    from ..sip.dialog_info import DialogState
    from ..site.administration import Administration
    from .connection import Connection
    from .switch import Switch

TOLD_AFTERWARDS_S: Final = 1.0


class DialogPackage:
    """See the module; what is watched is an account: an extension, or a name."""

    name = "dialog"
    content_type = "application/dialog-info+xml"

    def __init__(self, administration: Administration, switch: Switch) -> None:
        self._administration = administration
        self._switch = switch
        self._over: deque[tuple[float, str, Dialogue]] = deque()

    def admit(self, watcher: Party, number: str) -> str | Refusal:
        """Every account may watch a desk phone or a slot for calls; a person by name as the licence lets it."""
        if self._slot(number) is not None:
            return may_reach(watcher, None, self._administration.gate) or number
        return watched_account(self._administration, watcher, number)

    def concerned(self, event: object) -> Iterable[str]:
        """Name the device of the connection; when one rings, everybody's in the call. Of who waits, his slot."""
        if isinstance(event, CallParked | CallUnparked):
            return (self._code + event.slot,)
        if not isinstance(event, ConnectionChanged):
            return ()
        if event.state == ConnectionState.NULL:
            self._note_end(event)
        call = self._switch.calls.get(event.call_id)
        if event.state == ConnectionState.ALERTING and call is not None:
            return {connection.device: None for connection in call.connections}
        return (event.device,)

    async def state(self, resource: str) -> State:
        """Write the calls of an account, or the one in a slot."""
        slot = self._slot(resource)
        if slot is not None:
            return self._written(resource, self._parked(slot))
        live = [one for one in self._switch.connections.values() if one.device == resource]
        dialogues = [self._dialogue(one, state) for one in live if (state := _state(one)) is not None]
        self._forget_ended()
        dialogues += [ended for _, device, ended in self._over if device == resource]
        return self._written(resource, dialogues)

    def _written(self, resource: str, dialogues: list[Dialogue]) -> State:
        entity = str(self._uri(resource))
        return State(
            self.content_type, dialogues, lambda version: write_dialog_info(entity, dialogues, version)
        )

    @property
    def _code(self) -> str:
        return self._administration.directory.site.feature_codes.retrieve

    def _slot(self, number: str) -> str | None:
        """Return the slot that `number` is dialled for."""
        slot = number.removeprefix(self._code)
        return slot if slot != number and self._administration.directory.has_slot(slot) else None

    def _parked(self, slot: str) -> list[Dialogue]:
        """Return who waits in a slot, as if the slot talked to him."""
        waiting = self._switch.parkings.waiting.get(slot)
        if waiting is None:
            return []
        party = party_of(waiting.connection, self._administration.directory)
        remote = NameAddr("" if party.private else party.name, self._uri(party.shown))
        return [Dialogue(waiting.connection.leg_id, "confirmed", False, remote, False, None)]

    def _note_end(self, event: ConnectionChanged) -> None:
        """Keep a call that is over for the NOTIFY that tells of it."""
        connection = self._switch.connections.get(event.leg_id)
        self._forget_ended()
        if connection is not None:
            ended = self._dialogue(connection, "terminated")
            self._over.append((self._switch.clock.now(), event.device, ended))

    def _forget_ended(self) -> None:
        now = self._switch.clock.now()
        while self._over and self._over[0][0] < now - TOLD_AFTERWARDS_S:
            self._over.popleft()

    def _dialogue(self, connection: Connection, state: DialogState) -> Dialogue:
        call = connection.call
        initiator = connection.device == call.caller.number
        if initiator:
            remote = NameAddr("", self._uri(call.called))
        else:
            name = "" if call.caller.private else call.caller.name
            remote = NameAddr(name, self._uri(call.caller.shown))
        held = connection.state is ConnectionState.HOLD
        pickup = self._switch.replacements.pickups.name_of(connection) if state == "early" else None
        return Dialogue(connection.leg_id, state, initiator, remote, held, pickup)

    def _uri(self, number: str) -> SipUri:
        return SipUri("sip", number, self._administration.directory.site.server.domain)


def _state(connection: Connection) -> DialogState | None:
    """Read a connection as RFC 4235 3.7 names it; a caller's is early when somebody rings for him."""
    match connection.state:
        case ConnectionState.CONNECTED | ConnectionState.HOLD:
            return "confirmed"
        case ConnectionState.ALERTING:
            return "early"
        case ConnectionState.INITIATED:
            rings = any(one.state is ConnectionState.ALERTING for one in connection.call.connections)
            return "early" if rings else "trying"
        case _:
            return None
