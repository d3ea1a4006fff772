"""A closed stream is gone at once: what only the collector finds stays for thousands of streams in a media worker."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from ringfence.channels.media import rtp
from ringfence.channels.media.acceptance import Source
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.plane import Codec, Music, Remote, Tone
from ringfence.channels.media.stream import Stream
from ringfence.channels.network import Address

HOST = "192.0.2.7"
NUMBERS = range(1, 151)


@pytest.fixture
def collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def one(codec: Codec, port: int, inband: InbandDigits, dtmf_payload: int | None = None) -> Stream:
    """A stream that is connected, listened to for tones, measured and reported on."""

    def send(_data: bytes, _destination: Source) -> None:
        pass

    stream = Stream(send, lambda _: None, Random(port), inband, send)
    far = Address(HOST, port)
    remote = Remote(far, HOST, codec, dtmf_payload=dtmf_payload, rtcp=Address(HOST, port + 1), energy=True)
    stream.connect(remote, fill=True, listen=True, now=0.0)
    return stream


def talk(*streams: Stream) -> None:
    """Three seconds of audio from each far end, at 4000, 4002 and so on."""
    for number in NUMBERS:
        now = number / 50
        for stream, port in zip(streams, range(4000, 5000, 2), strict=False):
            stream.receive(rtp.build(8, number, number * 160, 77, bytes(160)), (HOST, port), now)
            stream.tick(now)


def echo(stream: Stream, _other: Stream, _room: Path) -> None:
    stream.echo()


def play(stream: Stream, _other: Stream, _room: Path) -> None:
    stream.play(1, (Tone((440,), 1.0), Music()), 0.0)
    stream.send_digits("12", 0.0)


def record(stream: Stream, _other: Stream, room: Path) -> None:
    stream.record(room / "heard.wav", 60, 0.0)


def bridge(stream: Stream, other: Stream, _room: Path) -> None:
    stream.bridge(other)


def mix(stream: Stream, other: Stream, _room: Path) -> None:
    stream.mix(other, 0.0)


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("work", [echo, play, record, bridge, mix])
@pytest.mark.parametrize("codec", [Codec.PCMA, Codec.PCMU])
def test_a_closed_stream_leaves_nothing_to_the_collector(
    work: Callable[[Stream, Stream, Path], None], codec: Codec, tmp_path: Path
) -> None:
    def live() -> None:
        inband = InbandDigits()
        streams = one(Codec.PCMA, 4000, inband), one(codec, 4002, inband, dtmf_payload=101)
        work(*streams, tmp_path)
        talk(*streams)
        for stream in streams:
            stream.close()

    live()  # what is imported and cached at the first use
    gc.collect()
    live()
    assert gc.collect() == 0
