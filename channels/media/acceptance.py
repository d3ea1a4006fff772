"""Whose packets a stream takes, and where it may send: the rule of `Remote`, against injected and reflected RTP.

Packets are taken from the host that SDP named or from the host that signals; their port is learnt once. Nothing goes to
a host that does not signal before it has sent. One `Acceptance` lives in each stream machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .plane import Remote

Source: TypeAlias = tuple[str, int]
"""Host and port of a datagram, as sockets give them."""

LEARNING_PACKETS = 5
"""SDP's own port may still take the stream from a learnt one within this many packets."""

MOST_FORMER = 4
"""So many places are remembered of a far end that moved on before it had sent anything from them."""

MOST_STRAGGLERS = 250
"""After so many packets from its old port, 5 s of them, a far end that said it moves has not."""


class Acceptance:
    """The one far end of a stream, learnt from the first packets.

    One that moves by a re-INVITE still sends from where it was `before`, until it has our answer: that is heard, and
    teaches nothing.
    """

    __slots__ = ("_former", "_hosts", "_learnt", "_left", "_named", "_stragglers", "destination")

    def __init__(self, remote: Remote, before: Acceptance | None = None) -> None:
        address = remote.address
        self._named: Source = (address.host, address.port)
        self._hosts = frozenset((address.host, remote.signalling_host))
        self._former = frozenset[Source]() if before is None else before.places
        self._stragglers = MOST_STRAGGLERS
        self._learnt: Source | None = None
        self._left = LEARNING_PACKETS
        self.destination: Source | None = self._named if address.host == remote.signalling_host else None
        """Where packets may be sent now; None while nobody may be sent to."""

    @property
    def places(self) -> frozenset[Source]:
        """Where packets of the far end may come from: where it was named, and has sent from, or did before."""
        if self._learnt is not None:
            return frozenset((self._named, self._learnt))
        return frozenset((self._named, *sorted(self._former)[:MOST_FORMER]))

    @property
    def settled(self) -> Source | None:
        """The only place whose packets are taken from now on; None while that may change."""
        return self._learnt if self._left == 0 else None

    def fits(self, remote: Remote) -> bool:
        """Tell whether a new offer names the same far end, so that what was learnt still holds (RFC 3264, 8)."""
        address = remote.address
        hosts = frozenset((address.host, remote.signalling_host))
        return (address.host, address.port) == self._named and hosts == self._hosts

    def admits(self, source: Source) -> bool:
        """Tell whether a packet from `source` is the far end's, and learn its port by it."""
        if source == self._learnt:
            if self._left:
                self._left -= 1
            return True
        if not self._may_be(source):
            return False
        if source in self._former and source != self._named and self._stragglers:
            self._stragglers -= 1
            self.destination = self.destination or source
            return True
        self._left = 0 if source == self._named else self._left - 1
        self._learnt = self.destination = source
        return True

    def would_admit(self, source: Source) -> bool:
        """Tell what `admits` would, and learn nothing."""
        return source == self._learnt or self._may_be(source)

    def _may_be(self, source: Source) -> bool:
        """Tell whether somebody else than who was learnt may be the far end."""
        if source[0] not in self._hosts:
            return False
        return self._learnt is None or (self._left > 0 and source == self._named)
