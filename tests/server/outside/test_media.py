"""Whose packets a call takes and who gets any, seen from outside (hardening rule 13)."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from .outsider import PHONE, STRANGER, TRUNK, Outsider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.server.sip.message import Request, Response

ECHO, TONE = "9900", "9901"
THIRD_PARTY = "127.0.0.99"


def packet(sequence: int, fill: int) -> bytes:
    """Twenty milliseconds of G.711 A-law that can be told by its octets."""
    return struct.pack(">BBHII", 0x80, 8, sequence, sequence * 160, fill) + bytes([fill]) * 160


@pytest.fixture
def ears() -> Iterator[dict[str, socket.socket]]:
    """Media sockets of a telephone, of the trunk, of a stranger, and of somebody who is only named."""
    sockets = {}
    for host in (PHONE, TRUNK, STRANGER, THIRD_PARTY):
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
    return trunk.inside("BYE", answer, cseq=2), taken_at(answer)


def until_heard(speaker: socket.socket, server: tuple[str, int], ear: socket.socket, fill: int) -> None:
    """Speak until the stream is open, which it is a moment after the answer."""
    ear.settimeout(0.1)
    for sequence in range(50):
        speaker.sendto(packet(sequence, fill), server)
        with suppress(TimeoutError):
            assert ear.recv(2048)[12:] == bytes([fill]) * 160
            break
    ear.settimeout(5)


def taken_at(message: Request | Response) -> tuple[str, int]:
    """Where the server takes the packets of an offer or answer of its own."""
    line = next(one for one in message.body.decode().split("\r\n") if one.startswith("m=audio "))
    return "127.0.0.1", int(line.split()[1])


def test_packets_of_a_stranger_go_nowhere(trunk: Outsider, ears: dict[str, socket.socket]) -> None:
    """They are neither echoed to the caller nor to the stranger, nor do they move the stream to him."""
    own, stranger = ears[TRUNK], ears[STRANGER]
    bye, server = talk(trunk, ECHO, TRUNK, own.getsockname()[1])
    until_heard(own, server, own, 0x11)
    for sequence in range(1, 11):
        stranger.sendto(packet(sequence, 0xEE), server)
        own.sendto(packet(sequence, 0x11), server)
        heard, source = own.recvfrom(2048)
        assert (heard[12:], source) == (b"\x11" * 160, server)
    assert trunk.ask(bye).status == 200
    stranger.setblocking(False)
    with pytest.raises(BlockingIOError):
        stranger.recv(2048)


def test_packets_of_a_stranger_are_not_carried_to_the_other_end(
    phone: Outsider, trunk: Outsider, ears: dict[str, socket.socket]
) -> None:
    """Through a bridge either end hears the other one alone, wherever the stranger aims."""
    phone.register("101")
    invite = trunk.write("INVITE", "08955550101", body=trunk.sdp(TRUNK, ears[TRUNK].getsockname()[1]))
    trunk.say(invite)
    rung = phone.hear()
    phone.answer(rung, 200, phone.sdp(PHONE, ears[PHONE].getsockname()[1]))
    answer = trunk.ask(invite)
    assert answer.status == 200
    trunk.say(trunk.inside("ACK", answer, cseq=1))
    at_trunk, at_phone = taken_at(answer), taken_at(rung)
    until_heard(ears[TRUNK], at_trunk, ears[PHONE], 0x11)
    until_heard(ears[PHONE], at_phone, ears[TRUNK], 0x22)
    for sequence in range(1, 11):
        for aimed_at in (at_trunk, at_phone):
            ears[STRANGER].sendto(packet(sequence, 0xEE), aimed_at)
        ears[TRUNK].sendto(packet(sequence, 0x11), at_trunk)
        assert ears[PHONE].recv(2048)[12:] == b"\x11" * 160
        ears[PHONE].sendto(packet(sequence, 0x22), at_phone)
        assert ears[TRUNK].recv(2048)[12:] == b"\x22" * 160
    trunk.say(trunk.inside("BYE", answer, cseq=2))
    while (bye := phone.hear()).cseq.method != "BYE":
        pass
    phone.answer(bye, 200)


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
