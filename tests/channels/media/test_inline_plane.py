"""The plane on the event loop: calls of minutes in virtual time over the in-memory network."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import PAYLOAD_TYPES
from ringfence.channels.media.inline_plane import InlinePlane, InlineStream
from ringfence.channels.media.plane import (
    Codec,
    DigitHeard,
    DigitsSent,
    MediaEvent,
    MediaPlane,
    Played,
    PortsExhaustedError,
    Prompt,
    Recorded,
    Remote,
    Silence,
    StreamClosed,
    StreamLost,
    StreamStarted,
    Tone,
)
from ringfence.channels.network import Address
from ringfence.server.net.memory import MemoryNetwork, Weather
from ringfence.server.net.virtual import VirtualLoop

HOST = "10.0.0.1"
PHONE = "10.0.0.5"


class Heard(list[MediaEvent]):
    """A sink that can be waited on."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def __call__(self, event: MediaEvent) -> None:
        self.append(event)
        self._news.set()

    async def until(self, kind: type[MediaEvent]) -> MediaEvent:
        while not isinstance(self[-1] if self else None, kind):
            self._news.clear()
            await self._news.wait()
        return self[-1]


def virtual(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Run an async test on a loop of virtual time."""

    def run(tmp_path: Path) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(tmp_path))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def two_ends(network: MemoryNetwork) -> tuple[InlineStream, Heard, InlineStream, Heard]:
    """A server's stream and a phone's, each told of the other but not yet connected."""
    server, phone = InlinePlane(network, HOST), InlinePlane(network, PHONE)
    at_server, at_phone = Heard(), Heard()
    return await server.open(at_server), at_server, await phone.open(at_phone), at_phone


def remote(stream: InlineStream, codec: Codec = Codec.PCMA) -> Remote:
    return Remote(stream.local, stream.local.host, codec, dtmf_payload=101)


@virtual
async def test_what_one_end_plays_the_other_records(tmp_path: Path) -> None:
    server, at_server, phone, at_phone = await two_ends(MemoryNetwork())
    server.connect(remote(phone), fill=True)
    phone.connect(remote(server), fill=True)
    phone.record(tmp_path / "heard.wav", 30)
    token = server.play([Tone((440,), 2.0), Silence(0.5)])
    assert await at_server.until(Played) == Played(token)
    phone.stop_recording()
    await at_phone.until(Recorded)
    audio = Audio.from_wav(tmp_path / "heard.wav")
    assert audio.duration_s == pytest.approx(2.5, abs=0.06)
    assert audio.contains_tone(440)


@virtual
async def test_an_hour_of_silence_is_told_at_its_time(tmp_path: Path) -> None:
    server, at_server, phone, _ = await two_ends(MemoryNetwork())
    server.connect(remote(phone), fill=False)
    server.watch(3600.0)
    began = asyncio.get_running_loop().time()
    assert await at_server.until(StreamLost) == StreamLost(3600.0)
    assert asyncio.get_running_loop().time() - began == 3600.0


@virtual
async def test_digits_get_through_loss_and_repetition(tmp_path: Path) -> None:
    network = MemoryNetwork(Random(5), Weather(loss=0.2, repeat=0.2, delay_s=(0.0, 0.05)))
    server, at_server, phone, at_phone = await two_ends(network)
    server.connect(remote(phone), fill=False)
    phone.connect(remote(server), fill=False)
    phone.send_digits("0123456789*#ABCD")
    await at_phone.until(DigitsSent)
    server.watch(1.0)
    await at_server.until(StreamLost)
    assert "".join(event.digit for event in at_server if isinstance(event, DigitHeard)) == "0123456789*#ABCD"


@virtual
async def test_digits_are_heard_as_tones_where_no_telephone_events_were_agreed(tmp_path: Path) -> None:
    """What `send_digits` sends then (RFC 4733 2.1), from the one law and from the other."""
    server, at_server, phone, at_phone = await two_ends(
        MemoryNetwork(Random(5), Weather(delay_s=(0.0, 0.01)))
    )
    for codec in PAYLOAD_TYPES:
        server.connect(replace(remote(phone), codec=codec, dtmf_payload=None), fill=False, listen=True)
        phone.connect(replace(remote(server), codec=codec, dtmf_payload=None), fill=True)
        at_phone.clear()
        phone.send_digits("0123456789*#ABCD")
        await at_phone.until(DigitsSent)
        await asyncio.sleep(0.2)
    digits = "".join(event.digit for event in at_server if isinstance(event, DigitHeard))
    assert digits == 2 * "0123456789*#ABCD"


@virtual
async def test_an_event_may_use_the_stream_at_once(tmp_path: Path) -> None:
    plane, network = InlinePlane(MemoryNetwork(), HOST), MemoryNetwork()
    phone, other = await InlinePlane(network, PHONE).open(Heard()), InlinePlane(network, HOST)
    played: list[MediaEvent] = []

    def sink(event: MediaEvent) -> None:
        played.append(event)
        if len(played) < 4:
            stream.play([Silence(0.02)])
        else:
            stream.close()
            stream.close()
            done.set()

    done = asyncio.Event()
    stream = await other.open(sink)
    stream.connect(remote(phone), fill=True)
    stream.play([])
    await done.wait()
    await other.stop()
    await plane.stop()
    assert played[:-1] == [Played(1), Played(2), Played(3), Played(4)]
    assert isinstance(played[-1], StreamClosed)


@virtual
async def test_closing_keeps_the_recording_and_comes_last(tmp_path: Path) -> None:
    network = MemoryNetwork()
    server_plane = InlinePlane(network, HOST)
    at_server = Heard()
    server, phone = await server_plane.open(at_server), await InlinePlane(network, PHONE).open(Heard())
    server.connect(remote(phone), fill=False)
    phone.connect(remote(server), fill=True)
    server.record(tmp_path / "m.wav", 30)
    await at_server.until(StreamStarted)
    await asyncio.sleep(1.0)
    await server_plane.stop()
    assert [type(event) for event in at_server] == [StreamStarted, Recorded, StreamClosed]
    assert Audio.from_wav(tmp_path / "m.wav").duration_s == pytest.approx(1.0, abs=0.05)


@virtual
async def test_two_phones_are_bridged_from_one_law_to_the_other(tmp_path: Path) -> None:
    network = MemoryNetwork()
    server = InlinePlane(network, HOST)
    legs = [await server.open(Heard()) for _ in range(2)]
    ears = [Heard(), Heard()]
    phones = [
        await InlinePlane(network, host).open(ear)
        for host, ear in zip((PHONE, "10.0.0.6"), ears, strict=True)
    ]
    for leg, phone, codec in zip(legs, phones, PAYLOAD_TYPES, strict=True):
        leg.connect(remote(phone, codec), fill=False)
        phone.connect(remote(leg, codec), fill=True)
    legs[0].bridge(legs[1])
    phones[1].record(tmp_path / "heard.wav", 1.0)
    phones[0].play([Tone((1000,))])
    phones[0].send_digits("7")
    await ears[1].until(Recorded)
    assert DigitHeard("7") in ears[1]
    assert Audio.from_wav(tmp_path / "heard.wav").power_at(1000) > 0.9


@virtual
async def test_ports_are_even_bounded_and_given_back_last_in_line(tmp_path: Path) -> None:
    network = MemoryNetwork()
    await network.bind(HOST, 20002, lambda data, source: None)
    plane = InlinePlane(network, HOST, range(20000, 20007))
    streams = [await plane.open(Heard()) for _ in range(3)]
    assert [stream.local.port for stream in streams] == [20000, 20004, 20006]
    with pytest.raises(PortsExhaustedError, match="larger range"):
        await plane.open(Heard())
    streams[1].close()
    streams[0].close()
    assert (await plane.open(Heard())).local.port == 20004


@virtual
async def test_wrong_use_is_told_at_once(tmp_path: Path) -> None:
    server, _, _, _ = await two_ends(MemoryNetwork())
    with pytest.raises(ValueError, match="there is no prompt 'hello'"):
        server.play([Prompt("hello")])
    with pytest.raises(ValueError, match="is no DTMF digit"):
        server.send_digits("1x")


@virtual
async def test_the_same_seed_sends_the_same_bytes(tmp_path: Path) -> None:
    async def run() -> list[bytes]:
        network, got = MemoryNetwork(), []
        await network.bind(PHONE, 4000, lambda data, source: got.append(data))
        plane: MediaPlane = InlinePlane(network, HOST, rng=Random(7))
        heard = Heard()
        stream = await plane.open(heard)
        stream.connect(Remote(Address(PHONE, 4000), PHONE, Codec.PCMU), fill=True)
        stream.play([Prompt("goodbye")])
        await heard.until(Played)
        await plane.stop()
        return got

    first = await run()
    assert first == await run()
    assert len(first) > 40
