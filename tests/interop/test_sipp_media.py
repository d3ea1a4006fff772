"""What SIPp says (`rtp_stream`) and says back (`rtp_echo`) is found where it belongs, by its tones (RFC 3550, G.711).

It says 620 Hz. What it hears it cannot tell; so it echoes, and whoever said it has to hear it again.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.channels.media.g711 import SILENCE
from ringfence.channels.media.plane import Codec, Tone
from ringfence.channels.media.tones import digit_tone, tone_payload
from ringfence.channels.network import Address
from ringfence.fixtures import sipp
from ringfence.fixtures.sipp import TRUNK_ADDRESS, Load, free_port
from ringfence.server.net.udp import UdpNetwork
from ringfence.server.phones import phone as scripted
from ringfence.server.phones.phone import Phone

from .sounds import ANNOUNCED_HZ, announce, message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("sipp")
ROOT, PHONE, DOMAIN = "08955550", "127.0.0.1", "klein.example"
PASSWORDS = {"100": "Anna-1000-Apfel", "101": "Ben-1010-Birne"}
SAID_HZ = 620
PATIENCE_S = 20
TONES_ARE_TOLD = ("[voicemail]", "[media]\nenergy = true\n\n[voicemail]")


def sound(tone: Tone, duration_s: float) -> bytes:
    """A-law of a tone."""
    return tone_payload(tone, Codec.PCMA, 0, round(duration_s * 8000))


SAID = sound(Tone((SAID_HZ,)), 20)


def call(served: Served, number: str, hold_ms: int, said: bytes = SAID) -> None:
    """Call from the trunk, say something, and hang up."""
    outcome = sipp.run(served.sip, "talk", Load(ROOT + number, 1, 1, hold_ms), said=said)
    assert (outcome.successful, outcome.failed) == (1, 0), outcome.errors


def test_rtp_stream_leaves_a_message(served: Served, tmp_path: Path) -> None:
    """What is said after the greeting is the message, and nothing else is."""
    announce(served, "/api/v1/users/anna/greeting", tmp_path)
    call(served, "*100", 2700)
    left = message(served, "anna", tmp_path)
    assert left.duration_s > 1
    assert left.contains_tone(SAID_HZ, threshold=0.95)


def test_an_attendant_hears_the_digit_in_rtp_stream_and_hands_the_call_on(
    served: Served, tmp_path: Path
) -> None:
    """SIPp offers no telephone-event (RFC 4733), so the digit is its tones; it leads to a box, where 620 Hz arrive."""
    announce(served, "/api/v1/users/clara/greeting", tmp_path)
    call(served, "200", 3600, SILENCE[Codec.PCMA] * 4000 + sound(digit_tone("3"), 0.1) + SAID)
    left = message(served, "clara", tmp_path)
    assert left.duration_s > 1
    assert left.contains_tone(SAID_HZ, threshold=0.95)


@pytest.mark.parametrize("site", [TONES_ARE_TOLD], indirect=True)
@pytest.mark.parametrize(
    ("number", "path"),
    [("200", "/api/v1/attendants/zentrale/prompt"), ("*100", "/api/v1/users/anna/greeting")],
    ids=["attendant", "voicemail"],
)
def test_what_is_announced_comes_back_from_rtp_echo(
    served: Served, tmp_path: Path, number: str, path: str
) -> None:
    """The verdict of the call tells the tones that the server heard: its own."""
    announce(served, path, tmp_path)
    load = Load(ROOT + number, 1, 1, 1200)
    outcome = sipp.run(served.sip, "uac", load, options=("-rtp_echo", "-mp", str(free_port(TRUNK_ADDRESS))))
    assert (outcome.successful, outcome.failed) == (1, 0), outcome.errors
    assert ANNOUNCED_HZ in journalled(served)["energy"]["tones_hz"]


def journalled(served: Served) -> dict[str, Any]:
    """The verdict of the one leg of the one call, which the journal has in a moment."""
    give_up_at = monotonic() + PATIENCE_S
    while not (entries := served.get("/api/v1/journal")["entries"]) or not entries[0]["legs"]:
        assert monotonic() < give_up_at
        sleep(0.05)
    (leg,) = entries[0]["legs"]
    return dict(leg["verdict"])


@asynccontextmanager
async def telephone(served: Served, user: str) -> AsyncIterator[Phone]:
    """A scripted telephone on sockets of this process, registered; nothing else here can tell what it heard."""
    phone = await Phone.start(
        UdpNetwork(), Address(PHONE, served.sip_port), scripted.Account(user, DOMAIN, PASSWORDS[user])
    )
    try:
        assert (await phone.register()).status == 200
        yield phone
    finally:
        await phone.stop()


async def test_a_telephone_hears_rtp_stream_through_the_bridge(served: Served) -> None:
    async with telephone(served, "101") as ben:
        calling = asyncio.create_task(asyncio.to_thread(call, served, "101", 2000))
        taken = await ben.answer()
        await taken.hear_tone(SAID_HZ)
        await calling
        await taken.ended()


async def test_a_telephone_hears_itself_through_the_bridge_and_rtp_echo(served: Served) -> None:
    """Both directions: what Anna's telephone says is heard by SIPp, or it could not say it back."""
    port = free_port(PHONE)
    with sipp.called(PHONE, port, "-rtp_echo"):
        ben = sipp.Account("101", DOMAIN, PASSWORDS["101"], port)
        sipp.run(served.sip, "register", Load("101", 1, 1), source=PHONE, accounts=[ben])
        async with telephone(served, "100") as anna:
            dialled = await anna.dial("101")
            await dialled.answered()
            playing = asyncio.create_task(dialled.play(Tone((ANNOUNCED_HZ,), 2)))
            await dialled.hear_tone(ANNOUNCED_HZ)
            await playing
            await dialled.hang_up()
    assert served.get("/api/v1/channels")["leases"] == []
