"""Addresses and datagrams, whatever carries them: real UDP sockets, or the in-memory network of virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and a port of it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Endpoint(Protocol):
    """One bound datagram socket.

    `on_wait(waited_s, now)` is told how long a datagram had waited when it was taken, while more come than are taken,
    and 0 as soon as none waits any more.
    """

    on_wait: Callable[[float, float], None] | None

    @property
    def local(self) -> Address:
        """The bound address, with the real port."""
        ...

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram; like UDP it may be lost, and errors are not reported."""
        ...

    def close(self) -> None:
        """Give the port back; nothing is delivered afterwards."""
        ...


class Network(Protocol):
    """Where endpoints come from."""

    async def bind(self, host: str, port: int, receive: Callable[[bytes, Address], None]) -> Endpoint:
        """Bind `host`:`port` (0 = any free port); `receive(data, source)` is called for each datagram.

        Raises OSError when the port is in use.
        """
        ...
