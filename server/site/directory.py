"""Who and what is reached by a name, a number or an address: an immutable snapshot of a site, for look-ups.

Routing, registrar and doors ask it; a change makes a new snapshot, which `Administration` puts in place.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from ...features.softphone.account import mobile_account, owner_of
from ...licensing.demand import Subject
from .attendants import desk_of
from .calendars import calendars_of
from .peer import Peer

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from ...features.attendant.settings import Attendant
    from ...features.dialling.settings import Dialling
    from .site import Location, Site, Trunk, User


class Directory:
    """Look-ups over `site`. Every one by name or number takes constant time."""

    __slots__ = (
        "_attendants",
        "_by_extension",
        "_by_fax",
        "_by_name",
        "_dialling",
        "_functions",
        "_hosts",
        "_networks",
        "calendars",
        "site",
    )

    def __init__(self, site: Site) -> None:
        self.site = site
        self.calendars = calendars_of(site)
        self._by_name = {user.name: user for user in site.users}
        self._by_extension = {user.extension: user for user in site.users}
        self._by_fax = {user.fax_number: user for user in site.users if user.fax_number is not None}
        self._attendants = {one.extension: desk_of(one) for one in site.attendants}
        self._dialling = {one.location: one for one in site.dialling}
        self._functions: dict[tuple[str, str | None], frozenset[str]] = {}
        for location in site.locations:
            self._functions[location.name, None] = location.functions
            for group in location.groups:
                own = group.functions
                self._functions[location.name, group.name] = location.functions if own is None else own
        self._hosts: dict[tuple[str, int | None], Trunk] = {}
        self._networks: list[tuple[IPv4Network | IPv6Network, Trunk]] = []
        for trunk in site.trunks:
            for peer in map(Peer.parse, trunk.peers):
                if peer.network is not None:
                    self._networks.append((peer.network, trunk))
                elif peer.host is not None:
                    self._hosts[peer.host, peer.port] = trunk
        self._networks.sort(key=lambda pair: -pair[0].prefixlen)

    @property
    def users(self) -> tuple[User, ...]:
        """All users in the order of their sequence numbers."""
        return self.site.users

    @property
    def locations(self) -> tuple[Location, ...]:
        """All locations in file order."""
        return self.site.locations

    def by_name(self, name: str) -> User | None:
        """The user of that name, which is also the name of the softphone account."""
        return self._by_name.get(name)

    def by_extension(self, extension: str) -> User | None:
        """The user with that extension."""
        return self._by_extension.get(extension)

    def user_of(self, account: str) -> User | None:
        """The user of a SIP account: that of a desk phone, of a softphone, or of a mobile one."""
        return self._by_extension.get(account) or self._by_name.get(owner_of(account))

    def accounts_of(self, user: str) -> frozenset[str]:
        """The SIP accounts of the user of that name; none when there is none."""
        found = self._by_name.get(user)
        return frozenset() if found is None else frozenset({found.extension, user, mobile_account(user)})

    def by_fax(self, number: str) -> User | None:
        """The user with that fax number."""
        return self._by_fax.get(number)

    def user_at(self, extension: str) -> str | None:
        """The name of the user with that extension."""
        user = self._by_extension.get(extension)
        return None if user is None else user.name

    def has_slot(self, slot: str) -> bool:
        """Whether calls may be parked in a slot of that name."""
        return self.site.parking.has(slot)

    def picks_up_for(self, user: str) -> frozenset[str]:
        """All in the pickup groups of `user`; when he is in none, all such at his location and group."""
        groups = [frozenset(one.members) for one in self.site.pickup_groups]
        own, grouped = self._by_name[user], frozenset[str]().union(*groups)
        if user in grouped:
            return frozenset[str]().union(*(group for group in groups if user in group))
        place = own.location, own.group
        return frozenset(one.name for one in self.users if (one.location, one.group) == place) - grouped

    def attendant(self, extension: str) -> Attendant | None:
        """The attendant with that extension, as the feature keeps to it."""
        return self._attendants.get(extension)

    def place_of(self, attendant: str) -> int:
        """Which of the site's attendants that is, from 1 (A-07)."""
        return 1 + next(n for n, one in enumerate(self.site.attendants) if one.name == attendant)

    def dialling_of(self, user: str | None) -> Dialling | None:
        """The dial parameters of a user's location, or of None those of the trunks."""
        found = None if user is None else self._by_name.get(user)
        own = None if found is None else self._dialling.get(found.location)
        return own or self._dialling.get(None)

    def trunk_of(self, host: str, port: int) -> Trunk | None:
        """The trunk whose peer sends from `host`:`port`.

        `address:port` wins over `address`, and that over the narrowest network.
        """
        trunk = self._hosts.get((host, port)) or self._hosts.get((host, None))
        if trunk is not None or not self._networks:
            return trunk
        try:
            address = ip_address(host)
        except ValueError:
            return None
        return next((trunk for network, trunk in self._networks if address in network), None)

    def has_place(self, location: str, group: str | None) -> bool:
        """Whether `location` is there, and `group` (None: no group) in it."""
        return (location, group) in self._functions

    def functions_at(self, location: str, group: str | None) -> frozenset[str]:
        """The functions that are on there; a group's list replaces its location's whole.

        Raises KeyError where there is no such place.
        """
        return self._functions[location, group]

    def functions_of(self, user: User) -> frozenset[str]:
        """The functions that are on for `user`."""
        return self._functions[user.location, user.group]

    def subject(self, user: User) -> Subject:
        """`user` as licensing sees one."""
        return Subject(user.name, user.seq, user.location, user.group, self.functions_of(user))

    def subjects(self) -> tuple[Subject, ...]:
        """All users as licensing sees them."""
        return tuple(map(self.subject, self.site.users))
