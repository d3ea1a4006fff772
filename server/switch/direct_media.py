"""Two telephones in a bridge that send their audio to each other, not through the media plane (`[media] direct`).

Each is told the other's stream by a re-INVITE (RFC 3264 section 8). What speaks against it is written in
docs/decisions/0029-direct-media.md.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ..sip.sdp import Direction
from ..sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from ..sip.offer_answer import Agreed
    from .connection import Connection

MOST_MOVES = 8
"""Telephones that go on answering each other with something new have to be content with the plane."""


class DirectMedia:
    """Decides for one bridge, anew each time that something was agreed."""

    __slots__ = ("_moves", "_pair", "_peers")

    def __init__(self, one: Connection, other: Connection) -> None:
        self._pair = (one, other)
        self._peers: tuple[Agreed | None, Agreed | None] = (None, None)
        self._moves = 0

    @property
    def is_over(self) -> bool:
        """Whether both send to the plane."""
        return all(one.negotiation.told is None for one in self._pair)

    def give_up(self) -> None:
        """Let the plane carry the audio from now on to the end."""
        self._moves = MOST_MOVES

    def peers(self) -> tuple[Agreed | None, Agreed | None]:
        """Say to whom each of the two is to speak: the other one, or None for the plane."""
        streams = _streams(*self._pair) if self._moves < MOST_MOVES else None
        peers = (None, None) if streams is None else self._to_tell(*streams)
        if peers != self._peers:
            self._peers = peers
            if self._moves < MOST_MOVES:
                self._moves = self._moves + 1 if streams is not None else 0
        return peers

    def _to_tell(self, ours: Agreed, theirs: Agreed) -> tuple[Agreed, Agreed | None]:
        """Tell the second one of the first at once, or if their events have other numbers, when that one has agreed.

        Each would take the other's number otherwise, over and over.
        """
        if ours.dtmf_payload == theirs.dtmf_payload or self._pair[0].negotiation.told == theirs:
            return theirs, ours
        known = self._peers[1]
        return theirs, None if known is None else replace(ours, dtmf_payload=known.dtmf_payload)


def _streams(one: Connection, other: Connection) -> tuple[Agreed, Agreed] | None:
    """Return the streams of both if each may be told the other's, None where the plane has to stand between them."""
    ours, theirs = one.agreed, other.agreed
    if not one.media.direct or one.media.energy or ours is None or theirs is None:
        return None
    if not (_is_open(one, ours) and _is_open(other, theirs)):
        return None
    same_events = (ours.dtmf_payload is None) is (theirs.dtmf_payload is None)
    if ours.codec is not theirs.codec or not same_events or _network(ours) != _network(theirs):
        return None
    return replace(ours, rtcp_mux=False), replace(theirs, rtcp_mux=False)


def _is_open(connection: Connection, agreed: Agreed) -> bool:
    """Tell whether a telephone of the house talks, not encrypted, and is where it says: behind no translation."""
    leg, negotiation = connection.leg, connection.negotiation
    if leg is None or leg.dialog is None or not connection.is_answered or connection.is_with_a_trunk:
        return False
    if negotiation.wanted is not Direction.SENDRECV or negotiation.refuses_peers or agreed.keys is not None:
        return False
    return agreed.address.host == leg.peer.host and _is_named(leg.dialog.target, leg.peer.host)


def _is_named(contact: str, host: str) -> bool:
    """Tell whether a Contact agrees with the address from which its telephone speaks; a name says nothing."""
    try:
        uri = parse_uri(contact)
        return not isinstance(uri, SipUri) or ip_address(uri.host.strip("[]")) == ip_address(host)
    except ValueError:
        return True


def _network(agreed: Agreed) -> tuple[int, bool, bool]:
    """Name the kind of network of an address: from one to another kind there may be no way but by the server."""
    address = ip_address(agreed.address.host)
    return address.version, address.is_loopback, address.is_private
