"""Whose packets a call takes and who gets any, seen from outside (hardening rule 13)."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from .outsider import STRANGER, TRUNK, Outsider

if TYPE_CHECKING:
    from collections.abc import Iterator

ECHO, TONE = "9900", "9901"
THIRD_PARTY = "127.0.0.99"


def packet(sequence: int, fill: int) -> bytes:
    """Twenty milliseconds of G.711 A-law that can be told by its octets."""
    return struct.pack(">BBHII", 0x80, 8, sequence, sequence * 160, fill) + bytes([fill]) * 160


@pytest.fixture
def ears() -> Iterator[dict[str, socket.socket]]:
    """Media sockets of the trunk, of a stranger, and of somebody who is only named."""
    sockets = {}
    for host in (TRUNK, STRANGER, THIRD_PARTY):
        sockets[host] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets[host].bind((host, 0))
        sockets[host].settimeout(5)
    yield sockets
    for one in sockets.values():
        one.close()


def talk(trunk: Outsider, number: str, media: str, port: int) -> tuple[bytes, tuple[str, int]]:
    """Call a test number; return a BYE and where the server takes packets."""
    _, answer = trunk.call(number, trunk.sdp(media, port))
    assert answer.status == 200
    line = next(one for one in answer.body.decode().split("\r\n") if one.startswith("m=audio "))
    return trunk.inside("BYE", answer, cseq=2), ("127.0.0.1", int(line.split()[1]))


def test_packets_of_a_stranger_go_nowhere(trunk: Outsider, ears: dict[str, socket.socket]) -> None:
    """They are neither echoed to the caller nor to the stranger, nor do they move the stream to him."""
    own, stranger = ears[TRUNK], ears[STRANGER]
    bye, server = talk(trunk, ECHO, TRUNK, own.getsockname()[1])
    for sequence in range(1, 11):
        stranger.sendto(packet(sequence, 0xEE), server)
        own.sendto(packet(sequence, 0x11), server)
        heard, source = own.recvfrom(2048)
        assert (heard[12:], source) == (b"\x11" * 160, server)
    assert trunk.ask(bye).status == 200
    stranger.setblocking(False)
    with pytest.raises(BlockingIOError):
        stranger.recv(2048)


def test_a_third_party_that_is_only_named_gets_nothing(
    trunk: Outsider, ears: dict[str, socket.socket]
) -> None:
    """A tone that nobody asked for is not sent to whom an SDP names; who signals has it when he sends."""
    own, victim = ears[TRUNK], ears[THIRD_PARTY]
    bye, server = talk(trunk, TONE, THIRD_PARTY, victim.getsockname()[1])
    own.sendto(packet(1, 0x11), server)
    assert [own.recvfrom(2048)[1] for _ in range(5)] == [server] * 5
    assert trunk.ask(bye).status == 200
    victim.setblocking(False)
    with pytest.raises(BlockingIOError):
        victim.recv(2048)


@pytest.mark.parametrize("host", ["239.1.2.3", "255.255.255.255", "224.0.0.1"])
def test_multicast_and_broadcast_are_488(trunk: Outsider, host: str) -> None:
    """RFC 3264 8: what is sent there would reach many who did not ask."""
    assert trunk.call(ECHO, trunk.sdp(host))[1].status == 488
