"""With whom a connection may come to talk: their streams have to be of one process of the media plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...channels.media.plane import MediaStream
    from .connection import Connection
    from .switch import Switch


def neighbours(connection: Connection, switch: Switch) -> Iterator[MediaStream]:
    """Give the streams of its call, then those of other calls of the same telephone, which may join them (RFC 3891)."""
    for other in connection.call.connections:
        if other.stream is not None:
            yield other.stream
    if switch.transfers.party_of(connection).trunk is None:
        for other in switch.connections.values():
            if other.device == connection.device and other.stream is not None:
                yield other.stream
