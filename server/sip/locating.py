"""Where the far end that a URI names is found (RFC 3263 4): an address as it is, a name by NAPTR, SRV and A or AAAA.

Trunks ask a `Locator`. It knows no network: what DNS says it asks of the `Records` that it was given.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Final, Protocol

from ...channels.network import Address
from .flow import DEFAULT_PORT, SECURE_PORT, Flow, address_of
from .grammar import SipSyntaxError
from .uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

    from .flow import Peer

MOST_PLACES: Final = 8
"""A far end is sought at no more places than these; the time for a call is over long before."""
_SERVICES: Final = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
_POINTED: Final = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}


class NotLocatedError(LookupError):
    """A name leads nowhere; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Service:
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """A NAPTR record (RFC 3403); `replacement` is the name to ask for services."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Records(Protocol):
    """What DNS says, and the file of hosts. Without such records the answer is empty; without one `NotLocatedError`."""

    async def pointers(self, name: str) -> Sequence[Pointer]:
        """NAPTR."""
        ...

    async def services(self, name: str) -> Sequence[Service]:
        """SRV."""
        ...

    async def addresses(self, name: str) -> Sequence[str]:
        """A or AAAA, whichever the server speaks."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """A URI whose host is a name: by which transports of ours it may be reached, the one to begin with first."""

    host: str
    port: int | None
    transports: tuple[str, ...]

    @classmethod
    def of(cls, uri: str) -> Named | None:
        """Read a URI; None for one that leads nowhere, by its scheme or its transport."""
        try:
            parsed = SipUri.parse(uri)
        except SipSyntaxError:
            return None
        wanted = (parsed.param("transport") or "").lower()
        if wanted not in {"", *_SERVICES} or (parsed.scheme == "sips" and wanted == "udp"):
            return None
        if parsed.scheme == "sips":
            return cls(parsed.host, parsed.port, ("tls",))
        return cls(parsed.host, parsed.port, (wanted,) if wanted else tuple(_SERVICES))


def leads_somewhere(uri: str) -> bool:
    """Whether a URI names an address that we can reach, or a name that may have one."""
    return address_of(uri) is not None or Named.of(uri) is not None


class Locator:
    """Asks `records`; `random` chooses among services of one priority."""

    def __init__(self, records: Records, random: Random) -> None:
        self._records = records
        self._random = random

    async def locate(self, uri: str) -> list[Peer]:
        """Say where requests to a URI go, the best place first; raises `NotLocatedError`."""
        peer = address_of(uri)
        if peer is not None:
            return [peer]
        named = Named.of(uri)
        if named is None:
            raise NotLocatedError(f"{uri} names nothing that is reached by UDP, TCP or TLS")
        places: list[Peer] = []
        for transport, host, port in await self._services(named):
            for address in await self._records.addresses(host):
                places.append(_place(transport, Address(address, port), named.host))
                if len(places) == MOST_PLACES:
                    return places
        if not places:
            raise NotLocatedError(f"no address is found for {named.host}")
        return places

    async def _services(self, named: Named) -> list[tuple[str, str, int]]:
        """Transport, host and port of each server of a domain, in the order in which they are to be tried."""
        first = named.transports[0]
        if named.port is not None:  # RFC 3263 4.1 and 4.2: a port says that the name is a host's
            return [(first, named.host, named.port)]
        queries = [(one, f"{_SERVICES[one]}.{named.host}") for one in named.transports]
        pointed = await self._pointed(named) if len(queries) > 1 or first == "tls" else []
        for transport, name in pointed or queries:
            found = await self._records.services(name)
            if found:
                return [(transport, one.target, one.port) for one in self._in_order(found)]
        return [(first, named.host, SECURE_PORT if first == "tls" else DEFAULT_PORT)]

    async def _pointed(self, named: Named) -> list[tuple[str, str]]:
        """The services that the domain itself prefers (RFC 3263 4.1)."""
        found = sorted(await self._records.pointers(named.host), key=lambda one: (one.order, one.preference))
        offered = ((_POINTED.get(one.service.upper(), ""), one) for one in found if one.flags.lower() == "s")
        return [(transport, one.replacement) for transport, one in offered if transport in named.transports]

    def _in_order(self, services: Iterable[Service]) -> Iterator[Service]:
        """RFC 2782: by priority, and among equals by chance, as often as their weights say; `.` is no server."""
        open_ = sorted(
            (one for one in services if one.target), key=lambda one: (one.priority, one.weight, one.target)
        )
        for _, equals in groupby(open_, key=lambda one: one.priority):
            left = list(equals)
            while left:
                sums = list(accumulate(one.weight for one in left))
                yield left.pop(bisect_left(sums, self._random.randint(0, sums[-1])))


def _place(transport: str, address: Address, name: str) -> Peer:
    match transport:
        case "udp":
            return address
        case "tcp":
            return Flow("TCP", address)
        case _:
            return Flow("TLS", address, name=name)
