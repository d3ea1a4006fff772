"""The event package `presence` (RFC 3856): registrations, calls, and what people publish of themselves (RFC 3903).

A desk phone's presence is its own; by name it is the person's: softphones and desk phone together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.conditions import condition
from ...features.presence.policy import may_reach
from ...features.softphone.account import mobile_account
from ...features.telephone.settings import DO_NOT_DISTURB
from ...licensing.refusal import Refusal
from ..sip import pidf
from ..sip.publication import Publications
from ..sip.subscription import Event, State
from ..sip.uri import SipUri
from ..site.declared import chosen
from .connection_state import ConnectionState
from .events import ConnectionChanged, PresenceChanged, Registered
from .watched import watched_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...channels.session import Party
    from ..net.stack import SipStack
    from ..sip.flow import Peer
    from ..sip.message import Request
    from ..sip.registrar import Registrar
    from ..sip.timers import Timer
    from ..site.administration import Administration
    from ..site.site import User
    from .replies import Replies
    from .switch import Switch

PRESENCES = frozenset(condition.PRESENCES)
_TALKING = frozenset({ConnectionState.INITIATED, ConnectionState.CONNECTED, ConnectionState.HOLD})


class Presence:
    """See the module; what is watched is an account: an extension, or a name."""

    name = "presence"
    content_type = pidf.CONTENT_TYPE

    def __init__(
        self,
        administration: Administration,
        switch: Switch,
        registrar: Registrar,
        stack: SipStack,
        replies: Replies,
    ) -> None:
        self._administration = administration
        self._switch = switch
        self._registrar = registrar
        self._stack = stack
        self._replies = replies
        self._published = Publications(pidf.CONTENT_TYPE, pidf.read_pidf, self._changed)
        self._rechecks: dict[str, Timer] = {}

    # -- SUBSCRIBE ---------------------------------------------------------------------------------------------

    def admit(self, watcher: Party, number: str) -> str | Refusal:
        """Every account may watch a desk phone; a person by name as the licence lets it."""
        return watched_account(self._administration, watcher, number)

    def concerned(self, event: object) -> Iterable[str]:
        """Name the account, and the person whose desk phone it is."""
        match event:
            case Registered(account) | PresenceChanged(account):
                pass
            case ConnectionChanged():
                account = event.device
            case _:
                return ()
        user = self._administration.directory.user_of(account)
        return (account,) if user is None else dict.fromkeys((account, user.name))

    async def state(self, resource: str) -> State:
        """Compose what is known of an account: registered, on the phone, and what it publishes."""
        user = self._administration.directory.by_name(resource)
        accounts = (resource,) if user is None else self._accounts(user)
        activities = self._activities(accounts)
        for account in accounts:
            self._recheck_in_time(account)
        body = pidf.write_pidf(
            self._uri(resource),
            [
                pidf.Contact(f"t{index}", self._uri(account), self._is_open(account))
                for index, account in enumerate(accounts)
            ],
            list(activities),
            next((one.note for one in self._published_by(accounts) if one.note), ""),
        )
        return State.of(self.content_type, body)

    def of_person(self, user: User) -> frozenset[str]:
        """Say what somebody is, with all his telephones together, as conditions ask for it (`PRESENCES`).

        Who is not to be disturbed is busy.
        """
        accounts = self._accounts(user)
        said = {*self._activities(accounts), *(() if any(map(self._is_open, accounts)) else ("offline",))}
        if chosen(user, DO_NOT_DISTURB):
            said.add("busy")
        return PRESENCES & said or frozenset({"available"})

    def _accounts(self, user: User) -> tuple[str, ...]:
        """All of somebody's telephones; the mobile softphone only of who has one."""
        has_mobile = "softphone_mobile" in self._administration.directory.functions_of(user)
        return (user.name, user.extension, *((mobile_account(user.name),) if has_mobile else ()))

    def _activities(self, accounts: Sequence[str]) -> dict[str, None]:
        """What the accounts say that somebody does, and that he is on the phone if he is."""
        activities = dict.fromkeys(name for one in self._published_by(accounts) for name in one.activities)
        talking = {one.device for one in self._switch.connections.values() if one.state in _TALKING}
        if not talking.isdisjoint(accounts):
            activities[pidf.ON_THE_PHONE] = None
        return activities

    def _published_by(self, accounts: Iterable[str]) -> list[pidf.Presentity]:
        return [one for account in accounts for one in self._published.states(account)]

    def _is_open(self, account: str) -> bool:
        """What an account says of itself counts more than that it is registered."""
        said = [one.is_open for one in self._published.states(account) if one.is_open is not None]
        return any(said) if said else bool(self._registrar.bindings(account, self._switch.clock.now()))

    def _recheck_in_time(self, account: str) -> None:
        bindings = self._registrar.bindings(account, self._switch.clock.now())
        if account in self._rechecks:
            self._rechecks.pop(account).cancel()
        if bindings:
            ends_at = min(one.expires_at for one in bindings)
            self._rechecks[account] = self._stack.agent.timers.set(ends_at, self._recheck, account)

    def _recheck(self, account: str, _now: float) -> None:
        """A registration of a watched account ran out, of which no message tells."""
        del self._rechecks[account]
        self._changed(account)

    def _changed(self, account: str) -> None:
        self._switch.stream.publish(PresenceChanged(account))

    # -- PUBLISH -----------------------------------------------------------------------------------------------

    def publish(self, request: Request, source: Peer, party: Party, number: str) -> None:
        """Take a PUBLISH: an account speaks of itself only (RFC 3903 section 6)."""
        gate = self._administration.gate
        refusal = may_reach(party, None, gate)
        if Event.of(request).package != self.name:
            self._replies.answer(request, source, 489, ("Allow-Events", self.name))
        elif number != party.number:
            self._replies.refuse(request, source, Refusal("auth.forbidden"), f"state of {number}", party)
        elif refusal is not None:
            self._replies.refuse(request, source, refusal, f"state of {number}", party)
        else:
            agent, now = self._stack.agent, self._switch.clock.now()
            response = self._published.publish(agent, number, request, now)
            agent.accept(request, source).respond(response, now)

    def _uri(self, account: str) -> str:
        return str(SipUri("sip", account, self._administration.directory.site.server.domain))
