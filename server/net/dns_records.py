"""What DNS and the file of hosts say of names: the real `Records`, made for the family of addresses that we speak.

dnspython asks, and keeps what it was told for as long as that counts; it is imported with the first name.
"""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..sip.locating import NotLocatedError, Pointer, Service

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

    from ...channels.network import Address

HOSTS: Final = Path("/etc/hosts")
LONGEST_S: Final = 4.0
"""How long a question may take, repetitions included."""
MOST_KEPT: Final = 1024


class DnsRecords:
    """For a server at `host`; `server` answers instead of those of the machine."""

    def __init__(self, host: str, server: Address | None = None) -> None:
        self._version = 6 if ":" in host else 4
        self._server = server

    async def pointers(self, name: str) -> list[Pointer]:
        """See `Records`."""
        return [
            Pointer(one.order, one.preference, _text(one.flags), _text(one.service), _name(one.replacement))
            for one in await self._ask(name, "NAPTR")
        ]

    async def services(self, name: str) -> list[Service]:
        """See `Records`."""
        return [
            Service(one.priority, one.weight, one.port, _name(one.target))
            for one in await self._ask(name, "SRV")
        ]

    async def addresses(self, name: str) -> list[str]:
        """See `Records`; the file of hosts counts first, and `localhost` is this machine (RFC 6761 6.3)."""
        known = _hosts(name, self._version)
        if known:
            return known
        if name == "localhost" or name.endswith(".localhost"):
            return ["::1" if self._version == 6 else "127.0.0.1"]
        return [one.address for one in await self._ask(name, "AAAA" if self._version == 6 else "A")]

    @cached_property
    def _resolver(self) -> Resolver:
        from dns.asyncresolver import Resolver  # noqa: PLC0415 - only names need it
        from dns.resolver import LRUCache  # noqa: PLC0415

        resolver = Resolver(configure=self._server is None)
        if self._server is not None:
            resolver.nameservers, resolver.port = [self._server.host], self._server.port
        resolver.cache = LRUCache(MOST_KEPT)
        return resolver

    async def _ask(self, name: str, kind: str) -> list[Any]:
        from dns.exception import DNSException  # noqa: PLC0415
        from dns.resolver import NXDOMAIN, NoAnswer  # noqa: PLC0415

        try:
            return list(await self._resolver.resolve(name, kind, search=False, lifetime=LONGEST_S))
        except (NXDOMAIN, NoAnswer):
            return []
        except (DNSException, OSError) as error:
            raise NotLocatedError(f"DNS does not answer for {name} ({kind}): {error}") from error


def _hosts(name: str, version: int) -> list[str]:
    """The addresses of a name in the file of hosts."""
    try:
        lines = HOSTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if name in (one.lower() for one in names):
            found.append(address)
    return [one for one in found if _version(one) == version]


def _version(address: str) -> int | None:
    try:
        return ip_address(address).version
    except ValueError:
        return None


def _name(name: Any) -> str:
    return str(name).rstrip(".").lower()


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")
