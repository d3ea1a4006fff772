"""The composition root: builds one PBX from a site and joins its rooms. Nothing here is shared between two PBXs.

`ringfence serve`, the demonstration and the pytest fixture start a `Pbx`; tests choose network, plane and seed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random, SystemRandom
from shutil import rmtree
from typing import TYPE_CHECKING

from ..channels.media.workshop import Workshop
from ..channels.pool import Pools
from .api.metrics import Metrics
from .clock import Clock
from .net.dns_records import DnsRecords
from .net.sip_sockets import SipSockets, advertised, own_hosts, reachable
from .net.stack import SipStack
from .net.streams import StreamLimits
from .net.udp import UdpNetwork
from .outgoing.carriers import carriers_of
from .outgoing.dispatcher import Dispatcher
from .outgoing.notifications import Notifications
from .sip.agent import Agent
from .sip.locating import Locator
from .sip.registrar import Registrar
from .site.administration import Administration
from .site.events import EntitlementChanged, LimitReached
from .store.journal import Journal
from .store.journal_feed import JournalFeed
from .store.opening import Opening
from .store.store import Store
from .switch.box_owners import BoxOwners
from .switch.boxes import Boxes
from .switch.decisions import Decisions
from .switch.dialog_package import DialogPackage
from .switch.greetings import Greetings
from .switch.identity import Identity
from .switch.message_summary import MessageSummary
from .switch.messenger import Messenger
from .switch.notifier import Notifier
from .switch.presence import Presence
from .switch.replies import Replies
from .switch.retention import Retention
from .switch.routing import Router
from .switch.sip_door import SipDoor
from .switch.stream import EventStream
from .switch.switch import Switch
from .switch.trunk_registrations import TrunkRegistrations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from ssl import SSLContext

    from ..channels.media.plane import MediaPlane
    from ..channels.network import Address, Network
    from ..licensing.refusal import Refusal
    from .api.door import ApiDoor
    from .hooks.courier import Courier
    from .hooks.sender import Sender
    from .net.certificate import OwnCertificate
    from .sip.effects import Effect
    from .sip.flow import Peer
    from .sip.locating import Records
    from .site.acts import ImportPackage
    from .site.events import SiteEvent
    from .site.merge import Merge
    from .site.site import Site, User


@dataclass(frozen=True, slots=True)
class Options:
    """How a PBX is set up. Port 0 is any free port, `http_port` None no HTTP door, `sips_port` None no TLS.

    `tls` gives the certificate for TLS; None is an own one beside the store. `connections` are the limits of SIP's.
    `rtp_ports` None is any port; `data_dir` None a temporary one; `seed` None real chance. `in_process` keeps
    everything in this process and on its loop: the store in memory, no writer thread, no media worker.
    `packages` are licences to import before anything is opened. `announce` is told what `apply_site` is about to
    change. `hook_sender` None sends webhooks by HTTP. `records` None is DNS.
    """

    host: str = "127.0.0.1"
    sip_port: int = 0
    sips_port: int | None = None
    tls: Callable[[], Awaitable[SSLContext]] | None = None
    connections: StreamLimits = field(default_factory=StreamLimits)
    http_port: int | None = 0
    rtp_ports: range | None = None
    data_dir: Path | None = None
    apply_site: bool = False
    packages: tuple[ImportPackage, ...] = ()
    token: str | None = None
    seed: int | None = None
    in_process: bool = False
    network: Network = field(default_factory=UdpNetwork)
    announce: Callable[[Merge], None] = lambda _: None
    hook_sender: Sender | None = None
    records: Records | None = None


class Pbx:
    """One running server. `start` gives one, `stop` ends it."""

    def __init__(self, store: Store, options: Options, clock: Clock) -> None:
        random = Random(options.seed) if options.seed is not None else SystemRandom()  # noqa: S311 - seeded in tests
        self.options = options
        self.token = options.token or f"{random.getrandbits(128):032x}"
        self.clock = clock
        self.store = store
        self._scratch = self.store.messages_dir.parent / "recording"
        rmtree(self._scratch, ignore_errors=True)  # what a server that was killed had not finished
        self._scratch.mkdir()
        self.stream = EventStream(self.clock)
        self.decisions = Decisions(random, self.clock, self.stream)
        self.administration = Administration(
            self.store.holdings,
            self.store,
            self._hear_of_site,
            random=random,
            clock=lambda: self.clock.today().timestamp(),
            since=store.reckoned_at,
        )
        self.pools = Pools()
        self._limit_pools()
        in_memory = options.in_process and options.data_dir is None
        self.journal = Journal(
            None if in_memory else store.folder,
            lambda: self.clock.today().timestamp(),
            inline=options.in_process,
        )
        feed = JournalFeed(self.journal, self._user_of, lambda at_s: clock.at(at_s).timestamp())
        self.stream.listen(feed.hear)
        self.registrar = Registrar()
        self.boxes = Boxes(
            self.administration,
            self.store.mailbox,
            self.store.sounds,
            self.clock,
            self.stream,
            presence=self._person_is,
        )
        self.greetings = Greetings(self.administration)
        self._retention = Retention(self.boxes)
        self.owners = BoxOwners(
            self.administration,
            self.boxes,
            self.greetings,
            self.store.sounds,
            clock=self.clock,
            stream=self.stream,
        )
        self._dispatcher = Dispatcher(self.store.outbox, carriers_of(self.site), self.stream, self.clock)
        self._notifications = Notifications(
            self.administration, self.store.mailbox, self._dispatcher, self.decisions, self.stream
        )
        self.workshop = Workshop()
        self.plane = _plane(options, random, self.stream)
        self._stack = SipStack(self._handle)
        self._sockets = SipSockets(
            self._stack, options.network, options.host, self._flows_in_use, options.connections
        )
        self.sip_load = self._stack.overload
        router = Router(
            self.administration,
            self.registrar,
            self.boxes,
            self.store.sounds,
            self.clock,
            owners=self.owners,
            passed_over=self._passed_over,
        )
        locator = Locator(options.records or DnsRecords(options.host), random)
        self.switch = Switch(
            administration=self.administration,
            router=router,
            registrar=self.registrar,
            pools=self.pools,
            plane=self.plane,
            stack=self._stack,
            stream=self.stream,
            decisions=self.decisions,
            clock=self.clock,
            random=random,
            locator=locator,
            media_host=reachable(options.host),
            recordings=self._scratch,
        )
        replies = Replies(self._stack, self.decisions, self.clock)
        messenger = Messenger(self.administration, self.registrar, self._stack, replies, self.clock)
        self._presence = Presence(self.administration, self.switch, self.registrar, self._stack, replies)
        self.notifier = Notifier(
            (
                MessageSummary(self.administration, self.boxes),
                DialogPackage(self.administration, self.switch),
                self._presence,
            ),
            stack=self._stack,
            replies=replies,
            stream=self.stream,
            clock=self.clock,
        )
        self.identity = Identity(self.administration, self.stream, random)
        self._door = SipDoor(
            switch=self.switch,
            stack=self._stack,
            identity=self.identity,
            registrar=self.registrar,
            administration=self.administration,
            replies=replies,
            notifier=self.notifier,
            takers={
                "SUBSCRIBE": self.notifier.take,
                "PUBLISH": self._presence.publish,
                "MESSAGE": messenger.take,
            },
            stream=self.stream,
            clock=self.clock,
        )
        self.trunks = TrunkRegistrations(self._stack, self.stream, self.clock, random, locator)
        self.hooks = self._courier(random)
        self.metrics = Metrics(self)
        self.is_stopping = False
        self.random = random
        self._api: ApiDoor | None = None
        self._sip: Address | None = None
        self._sips: Address | None = None

    @classmethod
    async def start(cls, site: Site | None, options: Options = Options()) -> Pbx:
        """Build a PBX and open its doors; with `site` None the store must be there.

        Raises OSError for a port in use, `StoreError` and `SiteError` for what cannot be opened, `PackageError` and
        `AdministrationError` for a package that does not count; nothing stays open then.
        """
        clock = Clock(asyncio.get_running_loop().time)
        opening = Opening(
            site,
            clock.today().timestamp(),
            apply_site=options.apply_site,
            packages=options.packages,
            announce=options.announce,
        )
        store = Store.open(options.data_dir, opening, inline=options.in_process)
        try:
            pbx = cls(store, options, clock)
        except BaseException:
            store.close()
            raise
        try:
            await pbx._open()
        except BaseException:
            await pbx.stop()
            raise
        return pbx

    async def _open(self) -> None:
        options = self.options
        await self.plane.start()
        await self.administration.start()
        self._dispatcher.start()
        if self.site.voicemail.keep_days is not None:
            self._retention.start()
        tls = options.tls or self._own_certificate()
        if options.http_port is not None:
            from .api.door import ApiDoor
            from .api.sip_socket import SocketDoor

            self._api = ApiDoor(self, SocketDoor(self, self._stack, own_hosts(options.host)), tls)
            await self._api.start(options.host, options.http_port)
        self._sip = await self._sockets.open(options.sip_port, lambda local: Agent(local, self.random))
        if self._api is not None:
            self._stack.agent.reach.serve("WS", advertised(self._api.local))
            self._stack.agent.reach.serve("WSS", advertised(self._api.local))
        if options.sips_port is not None:
            if options.data_dir is not None:
                await tls()  # a store that is kept has the certificate from the first start on
            self._sips = self._sockets.open_tls(options.sips_port, tls)
        self.trunks.start(self.site.trunks)

    def _own_certificate(self) -> OwnCertificate:
        """The server's own certificate, made when it is first used."""
        from .net.certificate import OwnCertificate

        names = dict.fromkeys((self.site.server.domain, "localhost", reachable(self.options.host)))
        return OwnCertificate(self.store.folder, tuple(names))

    def _flows_in_use(self) -> set[Peer]:
        """The flows of dialogs and registrations, which may be silent for as long as these last."""
        bindings = (one for _, found in self.registrar.accounts(self.clock.now()) for one in found)
        return {*self._stack.agent.flows_in_use(), *(one.source for one in bindings)}

    @property
    def sip(self) -> Address:
        """Where SIP is spoken."""
        if self._sip is None:
            raise RuntimeError("the PBX is not started")
        return self._sip

    @property
    def sip_transactions(self) -> int:
        """How many SIP transactions there are; most are answered, and wait up to 32 s for repetitions."""
        return self._stack.agent.transactions

    @property
    def sips(self) -> Address | None:
        """Where SIP is spoken by TLS; None when it is not."""
        return self._sips

    @property
    def http(self) -> str | None:
        """The base URL of the HTTP door; None without one."""
        return self._api.url if self._api is not None else None

    @property
    def site(self) -> Site:
        """The site as it stands now."""
        return self.administration.directory.site

    async def stop(self) -> None:
        """End every call with BYE, keep what is owed, and close everything."""
        self.is_stopping = True
        self._retention.stop()
        await self.switch.stop()
        self.notifier.stop()
        await self.trunks.stop()
        if self._api is not None:
            await self._api.stop()
        await self.plane.stop()
        await self._sockets.close()
        rmtree(self._scratch, ignore_errors=True)
        self.administration.stop()
        await self._notifications.stop()
        await self._dispatcher.stop()
        if self.hooks is not None:
            await self.hooks.stop()
        await self.journal.close()
        self.store.close()

    def _courier(self, random: Random) -> Courier | None:
        if not self.site.webhooks:
            return None
        from .hooks.courier import Courier

        return Courier(self.site.webhooks, self.stream, self.clock, random, self.options.hook_sender)

    def _handle(self, effect: Effect) -> None:
        self._door.handle(effect)

    def _passed_over(self, user: str, what: str, refusal: Refusal) -> None:
        self.decisions.mint(refusal, f"ringing {what} of {user}", user=user)

    def _person_is(self, user: User) -> frozenset[str]:
        return self._presence.of_person(user)

    def _user_of(self, account: str) -> str | None:
        directory = self.administration.directory
        user = directory.user_of(account)
        return None if user is None else user.name

    def _hear_of_site(self, event: SiteEvent) -> None:
        self.stream.publish(event)
        if isinstance(event, EntitlementChanged):
            self._limit_pools()

    def _limit_pools(self) -> None:
        """Give the channel pools the limits of today; tell of one that is used up by that (L-75)."""
        entitlement = self.administration.entitlement
        unit = self.administration.directory.site.licensing.aa_limit_unit
        limits = (entitlement.ip_channels, entitlement.attendant_channels(unit))
        for pool, limit in zip(self.pools, limits, strict=True):
            was_full, pool.limit = pool.is_full, limit
            if pool.is_full and not was_full and limit:
                self.stream.publish(LimitReached(pool.key, limit))


def _plane(options: Options, random: Random, stream: EventStream) -> MediaPlane:
    if options.in_process:
        from ..channels.media.inline_plane import InlinePlane

        return InlinePlane(options.network, options.host, options.rtp_ports, rng=random)
    from ..channels.media.worker_plane import WorkerPlane

    return WorkerPlane(options.host, options.rtp_ports, publish=stream.publish)
