"""G.722 at the edge of streams: heard, spoken to, and handed on (RFC 3551 4.5.2)."""

from __future__ import annotations

import asyncio
from math import pi, sin
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.channels.media.clocked import Clocked

from ringfence.channels.media import rtp
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import PAYLOAD_TYPES, decode, encode
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.plane import Codec, DigitHeard, MediaEvent, Remote, Tone
from ringfence.channels.media.stream import Stream
from ringfence.channels.media.tones import digit_tone
from ringfence.channels.media.wideband import PAYLOAD_TYPE
from ringfence.channels.network import Address

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.channels.media.acceptance import Source
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.needs("G722")
HOST = "10.0.0.5"


def coder(rate_hz: int) -> Any:
    from G722 import G722  # noqa: PLC0415 - an optional extra

    return G722(rate_hz, 64000)


class Telephone(Clocked):
    """A far end that speaks `codec`, and the stream that it speaks to."""

    def __init__(self, codec: Codec, port: int, *, listen: bool = False) -> None:
        self.now = 5.0
        self.codec = codec
        self.port = port
        self.packets: list[rtp.Packet] = []
        self.events: list[MediaEvent] = []
        self.inband = InbandDigits()
        self.stream = Stream(self._take, self.events.append, Random(port), self.inband)
        self.remote = Remote(Address(HOST, port), HOST, codec)
        self.stream.connect(self.remote, fill=False, listen=listen, now=self.now)
        self.sequence = 0

    def _take(self, data: bytes, destination: Source) -> None:
        packet = rtp.parse(data)
        assert packet is not None
        self.packets.append(packet)

    def say(self, *frequencies_hz: int, seconds: float = 1.0) -> bytes:
        """Speak sines, sampled at 16 kHz if the codec takes that; return the payload of all packets."""
        rate = 16000 if self.codec is Codec.G722 else 8000
        steps = [2 * pi * frequency / rate for frequency in frequencies_hz]
        samples = [round(sum(5000 * sin(step * at) for step in steps)) for at in range(round(seconds * rate))]
        wide = self.codec is Codec.G722
        whole = coder(rate).encode(samples) if wide else encode(samples, self.codec)
        for at in range(0, len(whole), 160):
            self.sequence += 1
            number = PAYLOAD_TYPE if wide else PAYLOAD_TYPES[self.codec]
            data = rtp.build(number, self.sequence, 160 * self.sequence, 3, whole[at : at + 160])
            self.stream.receive(data, (HOST, self.port), self.now)
            self.now += 0.02
        return whole

    @property
    def heard(self) -> Audio:
        """What the far end hears at 8 kHz, all packets in its codec."""
        audio = b"".join(packet.payload for packet in self.packets)
        if self.codec is not Codec.G722:
            assert {packet.payload_type for packet in self.packets} == {PAYLOAD_TYPES[self.codec]}
            return Audio(decode(audio, self.codec))
        assert {packet.payload_type for packet in self.packets} == {PAYLOAD_TYPE}
        return Audio(coder(16000).decode(audio)[::2])


def test_what_is_said_in_g722_is_recorded(tmp_path: Path) -> None:
    phone = Telephone(Codec.G722, 4000)
    phone.stream.record(tmp_path / "m.wav", 10, phone.now)
    phone.say(440)
    phone.stream.stop_recording()
    audio = Audio.from_wav(tmp_path / "m.wav")
    assert audio.duration_s == 1.0
    assert audio.contains_tone(440, 0.95)
    assert audio.rms == pytest.approx(5000 / 2**0.5, rel=0.1)


def test_what_is_played_is_heard_in_g722() -> None:
    """As many bytes and the same clock as G.711 has."""
    phone = Telephone(Codec.G722, 4000)
    phone.stream.play(1, [Tone((440,), 1.0)], phone.now)
    phone.pass_time(1.2)
    assert {len(packet.payload) for packet in phone.packets} == {160}
    assert phone.packets[1].timestamp - phone.packets[0].timestamp == 160
    assert phone.heard.contains_tone(440, 0.95)


def test_digits_as_tones_are_heard_in_g722() -> None:
    phone = Telephone(Codec.G722, 4000, listen=True)
    phone.say(*digit_tone("7").frequencies_hz, seconds=0.1)
    phone.inband.tick(phone.now)
    assert DigitHeard("7") in phone.events


@pytest.mark.parametrize("codec", list(PAYLOAD_TYPES))
def test_a_bridge_translates_to_g711_and_back(codec: Codec) -> None:
    wide, narrow = Telephone(Codec.G722, 4000), Telephone(codec, 4002)
    wide.stream.bridge(narrow.stream)
    wide.say(440)
    narrow.say(1000)
    assert narrow.heard.contains_tone(440, 0.95)
    assert wide.heard.contains_tone(1000, 0.95)


def test_between_two_telephones_with_g722_no_byte_changes() -> None:
    """All of the 7 kHz is handed on, while a recording hears its lower half."""
    one, two = Telephone(Codec.G722, 4000), Telephone(Codec.G722, 4002)
    one.stream.bridge(two.stream)
    said = one.say(6000)
    assert b"".join(packet.payload for packet in two.packets) == said


def test_a_far_end_may_change_to_g711_and_back() -> None:
    """By a re-INVITE: what is sent is always what was agreed last."""
    phone = Telephone(Codec.G722, 4000)
    for codec, number in ((Codec.PCMA, 8), (Codec.G722, 9), (Codec.PCMU, 0)):
        phone.stream.connect(Remote(Address(HOST, 4000), HOST, codec), fill=False, now=phone.now)
        phone.stream.play(1, [Tone((440,), 0.1)], phone.now)
        phone.packets.clear()
        phone.pass_time(0.2)
        assert {packet.payload_type for packet in phone.packets} == {number}


@pytest.mark.parametrize("payload", [b"", b"\xff", bytes(range(250)), bytes(1400)])
def test_any_bytes_are_audio(payload: bytes, tmp_path: Path) -> None:
    """A packet of any length ends nothing, and is as long as its bytes at 8 kHz."""
    phone = Telephone(Codec.G722, 4000)
    phone.stream.record(tmp_path / "m.wav", 10, phone.now)
    phone.stream.receive(rtp.build(PAYLOAD_TYPE, 1, 160, 3, payload), (HOST, 4000), phone.now)
    phone.stream.stop_recording()
    assert len(Audio.from_wav(tmp_path / "m.wav").samples) == len(payload)


@pytest.mark.virtual_time
async def test_a_caller_with_g722_alone_talks_to_a_box_and_to_any_telephone(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    anna.codecs = (Codec.G722,)
    for codec in (Codec.G722, Codec.PCMA):
        ben.codecs = (codec,)
        call = await anna.dial("101")
        answered = await ben.answer()
        await call.answered()
        await call.play(Tone((440,), 1.0))
        await answered.play(Tone((1000,), 1.0))
        assert (await answered.heard()).contains_tone(440, 0.8)
        assert (await call.heard()).contains_tone(1000, 0.5)
        await call.hang_up()
    caller = await pbx.outside("+49731999")
    caller.codecs = (Codec.G722,)
    call = await caller.dial("08955550*100")
    await asyncio.sleep(11)
    await call.play(Tone((500,), 2.0))
    await call.hang_up()
    await asyncio.sleep(1)
    (message,) = await pbx.voicemails("anna")
    assert Audio.from_wav(message.path).between(message.duration_s - 1.5).contains_tone(500, 0.9)
