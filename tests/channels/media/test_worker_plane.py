"""The worker as a real process with real sockets: what it carries, and how it ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import structlog
from tests.channels.media.far_end import HOST, VOICE, Heard, Phone

from ringfence.channels.media import control, rtcp
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SILENCE, decode, encode, translate
from ringfence.channels.media.plane import (
    Clip,
    Codec,
    DigitHeard,
    Measured,
    Music,
    PlaneFailedError,
    Played,
    PortsExhaustedError,
    PortUse,
    Prompt,
    Recorded,
    Silence,
    StreamClosed,
    StreamLost,
    StreamStarted,
    Tone,
)
from ringfence.channels.media.prompts import music_payload, prompt_payload
from ringfence.channels.media.restarts import MOST_ENDS, WITHIN_S
from ringfence.channels.media.tones import digit_tone, tone_payload
from ringfence.channels.media.verdict import Verdict
from ringfence.channels.media.worker_events import (
    MediaWorkerEnded,
    MediaWorkerGivenUp,
    MediaWorkerRestarted,
    WorkerEvent,
)
from ringfence.channels.media.worker_link import WorkerLink
from ringfence.channels.media.worker_plane import WorkerPlane
from ringfence.channels.network import Address


def counts(closed: StreamClosed) -> tuple[int, int, int]:
    verdict = closed.verdict
    return verdict.packets_sent, verdict.packets_received, verdict.packets_refused


@pytest.fixture
async def phones() -> AsyncIterator[Callable[[], "asyncio.Future[Phone]"]]:
    made: list[Phone] = []

    async def make() -> Phone:
        made.append(await Phone.bound())
        return made[-1]

    yield lambda: asyncio.ensure_future(make())
    for phone in made:
        phone.transport.close()


@pytest.fixture
async def plane() -> AsyncIterator[WorkerPlane]:
    plane = WorkerPlane(HOST)
    await plane.start()
    yield plane
    await plane.stop()


Phones = Callable[[], "asyncio.Future[Phone]"]


async def ended(pid: int) -> None:
    """Return once the process is gone."""
    loop, fd = asyncio.get_running_loop(), os.pidfd_open(pid)
    gone = asyncio.Event()
    loop.add_reader(fd, gone.set)
    try:
        async with asyncio.timeout(10):
            await gone.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)


async def test_packets_are_echoed_byte_for_byte(plane: WorkerPlane, phones: Phones) -> None:
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=False)
    stream.echo()
    phone.say(stream.local)
    await heard.until(StreamStarted)
    for payload_type, size in ((8, 160), (0, 240), (101, 4)):
        phone.say(stream.local, VOICE[:size], payload_type)
    got = [await phone.got() for _ in range(4)]
    assert [(packet.payload_type, packet.payload) for packet in got] == [
        (8, VOICE), (8, VOICE), (0, VOICE[:240]), (101, VOICE[:4]),
    ]  # fmt: skip
    stream.close()
    assert counts(await heard.until(StreamClosed)) == (4, 4, 0)


async def test_a_prompt_and_a_message_are_played_without_a_gap(
    plane: WorkerPlane, phones: Phones, message_wav: Path
) -> None:
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(Codec.PCMU), fill=True)
    token = stream.play([Prompt("2", "de"), Clip(message_wav)])
    assert await heard.until(Played) == Played(token)
    expected = prompt_payload(Prompt("2", "de"), Codec.PCMU)
    expected += encode(Audio.from_wav(message_wav).samples, Codec.PCMU)
    got = b""
    while len(got) < len(expected):
        got += (await phone.got()).payload
    assert got.lstrip(SILENCE[Codec.PCMU]).startswith(expected.strip(SILENCE[Codec.PCMU]))


async def test_what_is_said_is_recorded_and_strangers_are_not(
    plane: WorkerPlane, phones: Phones, tmp_path: Path
) -> None:
    phone, stranger, heard = await phones(), await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=False)
    stream.record(tmp_path / "m.wav", 0.5)
    tone = tone_payload(Tone((440,)), Codec.PCMA, 0, 4000)
    phone.say(stream.local, tone[:160])
    await heard.until(StreamStarted)
    for at in range(160, 4000, 160):
        stranger.say(stream.local)
        phone.say(stream.local, tone[at : at + 160])
    assert await heard.until(Recorded) == Recorded(tmp_path / "m.wav", 0.5)
    assert Audio.from_wav(tmp_path / "m.wav").contains_tone(440, 0.98)
    stream.close()
    assert counts(await heard.until(StreamClosed)) == (0, 25, 24)


async def test_a_live_stream_tells_on_request_how_it_fares(plane: WorkerPlane, phones: Phones) -> None:
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=False)
    stream.echo()
    phone.say(stream.local)
    phone.sequence += 1  # RFC 3550, A.3: one that never comes
    phone.say(stream.local)
    await phone.got()
    await phone.got()
    stream.measure()
    verdict = (await heard.until(Measured)).verdict
    assert (verdict.codec, verdict.packets_sent, verdict.packets_received, verdict.packets_lost) == (
        Codec.PCMA, 2, 2, 1,
    )  # fmt: skip
    stream.close()
    assert (await heard.until(StreamClosed)).verdict == verdict


async def test_reports_come_from_the_port_above_the_streams_and_are_taken_there(
    plane: WorkerPlane, phones: Phones
) -> None:
    """RFC 3550, 6 and 11; the socket lives from the first report to the end of the stream."""
    phone, reports, heard = await phones(), await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(replace(phone.remote(), rtcp=reports.address), fill=True)
    above = Address(HOST, stream.local.port + 1)
    async with asyncio.timeout(10):  # 1.0 to 3.1 seconds
        data, source = await reports.control.get()
    compound = rtcp.parse(data)
    assert compound is not None
    assert compound.sending is not None
    assert source == (HOST, above.port)
    block = rtcp.Block(compound.ssrc, 64, 9, 1, 80, compound.sending.ntp >> 16 & 0xFFFFFFFF, 0)
    reports.transport.sendto(rtcp.report(9, None, [block], b"x"), (HOST, above.port))
    reports.transport.sendto(b"\x81\xc9", (HOST, above.port))
    verdict = Verdict()
    while verdict.remote is None or not verdict.packets_refused:
        stream.measure()
        verdict = (await heard.until(Measured)).verdict
    assert (verdict.remote.packets_lost, verdict.remote.loss, verdict.remote.jitter_ms) == (9, 0.25, 10.0)
    assert verdict.remote.round_trip_ms is not None
    stream.close()
    assert (await heard.until(StreamClosed)).verdict.packets_refused == 1
    async with asyncio.timeout(10):
        assert (await reports.control.get())[0].endswith(rtcp.goodbye(compound.ssrc))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((HOST, above.port))


async def test_two_phones_talk_through_both_laws_and_payload_types(
    plane: WorkerPlane, phones: Phones
) -> None:
    one, two, at_one, at_two = await phones(), await phones(), Heard(), Heard()
    legs = await plane.open(at_one), await plane.open(at_two)
    legs[0].connect(one.remote(Codec.PCMA, 101), fill=False)
    legs[1].connect(two.remote(Codec.PCMU, 96), fill=False)
    legs[0].bridge(legs[1])
    one.say(legs[0].local)
    got = await two.got()
    assert (got.payload_type, got.payload) == (0, translate(VOICE, Codec.PCMA))
    two.say(legs[1].local, VOICE, 0)
    back = await one.got()
    assert (back.payload_type, back.payload) == (8, translate(VOICE, Codec.PCMU))
    one.say(legs[0].local, b"\x05\x0a\x00\xa0", 101)
    assert await at_one.until(DigitHeard) == DigitHeard("5")
    digit = await two.got()
    assert (digit.payload_type, digit.payload) == (96, b"\x05\x0a\x00\xa0")


async def test_an_event_is_a_tone_at_once_for_a_phone_without_events(
    plane: WorkerPlane, phones: Phones
) -> None:
    """RFC 4733 2.1; nothing else wakes the stream of the other phone."""
    one, two = await phones(), await phones()
    legs = await plane.open(Heard()), await plane.open(Heard())
    legs[0].connect(one.remote(Codec.PCMA, 101), fill=False)
    legs[1].connect(two.remote(Codec.PCMA, None), fill=False)
    legs[0].bridge(legs[1])
    one.say(legs[0].local, b"\x05\x0a\x00\xa0", 101)
    tone = tone_payload(digit_tone("5"), Codec.PCMA, 0, 800)
    assert b"".join([(await two.got()).payload for _ in range(5)]) == tone


async def test_music_takes_the_place_of_what_is_relayed_until_it_stops(
    plane: WorkerPlane, phones: Phones
) -> None:
    """RFC 3264 8.4: to whom it plays, it is one RTP stream with what was said before and after."""
    holder, held, at_holder, at_held = await phones(), await phones(), Heard(), Heard()
    legs = await plane.open(at_holder), await plane.open(at_held)
    legs[0].connect(holder.remote(), fill=False)
    legs[1].connect(held.remote(Codec.PCMU), fill=False)
    legs[0].bridge(legs[1])
    holder.say(legs[0].local)
    packets = [await held.got()]
    legs[1].play((Music(),))
    for _ in range(10):
        packets.append(await held.got())
        holder.say(legs[0].local)
    assert b"".join(one.payload for one in packets[1:]) == music_payload(Codec.PCMU)[:1600]
    legs[1].stop_playing()
    legs[1].measure()
    await at_held.until(Measured)
    holder.say(legs[0].local)
    while packets[-1].payload != translate(VOICE, Codec.PCMA):
        packets.append(await held.got())
    assert {one.ssrc for one in packets} == {packets[0].ssrc}
    assert [(one.sequence - packets[0].sequence) & 0xFFFF for one in packets] == list(range(len(packets)))
    assert holder.packets.empty()


async def test_digits_come_as_tones_too(plane: WorkerPlane, phones: Phones) -> None:
    """Where no telephone events were agreed (RFC 4733 2.1), and somebody listens."""
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(dtmf_payload=None), fill=False, listen=True)
    for digit in "59":
        for at in range(0, 960, 160):
            phone.say(stream.local, tone_payload(digit_tone(digit), Codec.PCMA, at, 160))
        assert await heard.until(DigitHeard) == DigitHeard(digit)


def even_socket() -> socket.socket:
    """A socket on some even port."""
    while True:
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        holder.bind((HOST, 0))
        if holder.getsockname()[1] % 2 == 0:
            return holder
        holder.close()


async def test_ports_that_other_programs_hold_are_skipped_and_the_range_has_an_end() -> None:
    with even_socket() as holder:
        held = holder.getsockname()[1]
        plane = WorkerPlane(HOST, range(held, held + 8))
        await plane.start()
        ports: set[int] = set()
        error: PortsExhaustedError | None = None
        while error is None:
            try:
                ports.add((await plane.open(Heard())).local.port)
            except PortsExhaustedError as refused:
                error = refused
        await plane.stop()
    assert "--rtp-ports" in str(error)
    assert ports <= set(range(held + 2, held + 8, 2))


async def test_a_port_given_back_does_not_bring_its_old_packets(phones: Phones) -> None:
    with even_socket() as probe:
        port = probe.getsockname()[1]
    plane = WorkerPlane(HOST, range(port, port + 2))
    await plane.start()
    old, new, first, second = await phones(), await phones(), Heard(), Heard()
    stream = await plane.open(first)
    stream.connect(old.remote(), fill=False)
    old.say(stream.local)
    await first.until(StreamStarted)
    stream.close()
    for _ in range(20):
        old.say(stream.local)
    assert plane.ports == PortUse(free=0, used=1), "it rests"
    again = await plane.open(second)
    assert again.local == stream.local
    again.connect(new.remote(), fill=False)
    new.say(again.local)
    await second.until(StreamStarted)
    again.close()
    assert counts(await second.until(StreamClosed)) == (0, 1, 0)
    await plane.stop()


async def test_stopping_closes_what_is_recorded(phones: Phones, tmp_path: Path) -> None:
    plane, phone, heard = WorkerPlane(HOST), await phones(), Heard()
    await plane.start()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=False)
    stream.record(tmp_path / "m.wav", 60)
    phone.say(stream.local)
    await heard.until(StreamStarted)
    pid = plane.pid
    await plane.stop()
    assert await heard.until(Recorded) == Recorded(tmp_path / "m.wav", 0.02)
    assert isinstance(await heard.until(StreamClosed), StreamClosed)
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(PortsExhaustedError):
        await plane.open(heard)


async def test_a_worker_that_dies_ends_its_streams_and_is_replaced(
    plane: WorkerPlane, phones: Phones
) -> None:
    heard = [Heard(), Heard()]
    for sink in heard:
        await plane.open(sink)
    first = plane.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    for sink in heard:
        assert await sink.until(StreamLost) == StreamLost(0.0)
        assert await sink.until(StreamClosed) == StreamClosed(Verdict())
    phone, sink = await phones(), Heard()
    stream = await plane.open(sink)
    stream.connect(phone.remote(), fill=True)
    assert (await phone.got()).payload == SILENCE[Codec.PCMA] * 160
    assert plane.pid not in {first, None}


LOOP_FOR_EVER = """
import signal
def loop(*_):
    while True: pass
signal.signal(signal.SIGUSR1, loop)
"""


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGUSR1], ids=["stopped", "in an endless loop"])
async def test_a_worker_that_hangs_ends_its_streams_and_is_replaced(
    how: signal.Signals, phones: Phones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LOOP_FOR_EVER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    told: list[WorkerEvent] = []
    plane, phone, heard = WorkerPlane(HOST, publish=told.append), await phones(), Heard()
    await plane.start()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=True)
    await phone.got()
    hung, loop = plane.pid, asyncio.get_running_loop()
    assert hung is not None
    began = loop.time()
    os.kill(hung, how)
    assert await heard.until(StreamLost) == StreamLost(0.0)
    lasted = loop.time() - began
    assert isinstance(await heard.until(StreamClosed), StreamClosed)
    assert lasted < 5.0, "0.9 s where the machine is not busy: see test_heartbeat"
    again = await plane.open(heard)
    again.connect(phone.remote(), fill=True)
    phone.packets = asyncio.Queue()
    await phone.got()
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    assert plane.pid is not None
    ended = MediaWorkerEnded(hung, -signal.SIGKILL, hung=True, streams=1)
    assert told == [ended, MediaWorkerRestarted(plane.pid)]
    await plane.stop()


async def test_a_worker_that_is_stopped_for_a_moment_goes_on(plane: WorkerPlane, phones: Phones) -> None:
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=True)
    await phone.got()
    pid = plane.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)  # noqa: ASYNC222 - a moment
    os.kill(pid, signal.SIGCONT)
    stream.play([Silence(0.02)])
    assert isinstance(await heard.until(Played), Played)
    assert plane.pid == pid


async def test_what_was_recorded_outlives_the_death_of_its_worker(
    plane: WorkerPlane, phones: Phones, tmp_path: Path
) -> None:
    """All but a second at most; a recording that has nothing yet, and one that was closed before, are told once."""
    (phone, heard), (other, other_heard) = [(await phones(), Heard()) for _ in range(2)]
    stream, silent = await plane.open(heard), await plane.open(other_heard)
    stream.connect(phone.remote(), fill=False)
    stream.record(tmp_path / "before.wav", 0.02)
    phone.say(stream.local)
    assert await heard.until(Recorded) == Recorded(tmp_path / "before.wav", 0.02)
    stream.record(tmp_path / "m.wav", 60)
    silent.connect(other.remote(), fill=False)
    silent.record(tmp_path / "nothing.wav", 60)
    stream.measure()
    await heard.until(Measured)  # packets would overtake the command
    for _ in range(52):
        phone.say(stream.local)
    stream.measure()
    while (await heard.until(Measured)).verdict.packets_received < 53:
        stream.measure()
    assert plane.pid is not None
    os.kill(plane.pid, signal.SIGKILL)
    await heard.until(StreamLost)
    recorded, said = await heard.until(Recorded), decode(VOICE * 52, Codec.PCMA)
    samples = Audio.from_wav(tmp_path / "m.wav").samples
    assert (recorded.path, recorded.duration_s) == (tmp_path / "m.wav", len(samples) / 8000)
    assert len(said) - 8000 - 160 <= len(samples) <= len(said)
    assert samples.tobytes() == said[: len(samples)].tobytes()
    assert await heard.until(StreamClosed) == StreamClosed(Verdict())
    assert await other_heard.until(Recorded) == Recorded(tmp_path / "nothing.wav", 0.0)


async def test_a_worker_that_keeps_ending_is_given_up_and_the_refusal_says_so() -> None:
    told: list[WorkerEvent] = []
    plane, pids = WorkerPlane(HOST, publish=told.append), []
    await plane.start()
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(20):
            for _ in range(MOST_ENDS + 1):
                stream, heard = await plane.open(sink := Heard()), sink
                assert plane.pid is not None
                pids.append(plane.pid)
                os.kill(plane.pid, signal.SIGKILL)
                await heard.until(StreamClosed)
                stream.close()
            with pytest.raises(PlaneFailedError, match="start the server anew") as caught:
                await plane.open(Heard())
    assert caught.value.reason == "media.failed"
    assert plane.has_failed
    assert (len(set(pids)), plane.pid) == (MOST_ENDS + 1, None)
    ends = [MediaWorkerEnded(pid, -signal.SIGKILL, hung=False, streams=1) for pid in pids]
    restarts = [MediaWorkerRestarted(pid) for pid in pids[1:]]
    *before, last, given_up = told
    assert before == [one for pair in zip(ends, restarts, strict=False) for one in pair]
    assert (last, given_up) == (ends[-1], MediaWorkerGivenUp(MOST_ENDS + 1, WITHIN_S))
    levels = [(log["event"], log["log_level"]) for log in logs]
    assert levels == [("media.worker.ended", "warning")] * len(ends) + [("media.worker.given.up", "error")]


async def test_a_worker_that_cannot_be_started_again_is_tried_again_in_a_moment(
    plane: WorkerPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = WorkerLink.start, [OSError("no room")]

    async def start_at_last(link: WorkerLink, host: str, ports: range | None, stock: int) -> None:
        if refused:
            raise refused.pop()
        await start(link, host, ports, stock)

    monkeypatch.setattr(WorkerLink, "start", start_at_last)
    await plane.open(heard := Heard())
    assert plane.pid is not None
    os.kill(plane.pid, signal.SIGKILL)
    await heard.until(StreamClosed)
    async with asyncio.timeout(10):
        await plane.open(Heard())
    assert not refused


async def test_the_fault_of_one_stream_ends_no_other(
    phones: Phones, capfd: pytest.CaptureFixture[str]
) -> None:
    plane, bad, good, phone = WorkerPlane(HOST), Heard(), Heard(), await phones()
    await plane.start()
    faulty, other = await plane.open(bad), await plane.open(good)
    faulty.link.send(control.SendDigits(faulty.number, "no digit"))
    assert await bad.until(StreamLost) == StreamLost(0.0)
    assert await bad.until(StreamClosed) == StreamClosed(Verdict())
    faulty.close()
    other.connect(phone.remote(), fill=False)
    other.play([Silence(0.02)])
    assert isinstance(await good.until(Played), Played)
    await plane.stop()
    assert "is no DTMF digit" in capfd.readouterr().err


async def test_a_host_that_is_not_here_is_told_and_waited_for_by_nobody() -> None:
    plane = WorkerPlane("192.0.2.1")
    await plane.start()
    with pytest.raises(PortsExhaustedError, match=r"192\.0\.2\.1"):
        await plane.open(Heard())
    await plane.stop()


async def test_ctrl_c_of_the_terminal_leaves_the_worker_to_its_parent(
    plane: WorkerPlane, phones: Phones
) -> None:
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    assert plane.pid is not None
    os.kill(plane.pid, signal.SIGINT)
    stream.connect(phone.remote(), fill=False)
    stream.play([Silence(0.02)])
    assert isinstance(await heard.until(Played), Played)


async def test_a_terminated_worker_saves_its_recordings(
    plane: WorkerPlane, phones: Phones, tmp_path: Path
) -> None:
    phone, heard = await phones(), Heard()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=False)
    stream.record(tmp_path / "m.wav", 60)
    phone.say(stream.local)
    await heard.until(StreamStarted)
    assert plane.pid is not None
    os.kill(plane.pid, signal.SIGTERM)
    assert await heard.until(Recorded) == Recorded(tmp_path / "m.wav", 0.02)
    await heard.until(StreamClosed)


PARENT = """
import asyncio
from ringfence.channels.media.worker_plane import WorkerPlane

async def main():
    plane = WorkerPlane("127.0.0.1")
    await plane.start()
    await plane.open(lambda event: None)
    print(plane.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_worker_ends_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    try:
        await ended(worker)
    except ProcessLookupError:
        return


async def carry_one_call() -> None:
    plane, heard, phone = WorkerPlane(HOST), Heard(), await Phone.bound()
    await plane.start()
    stream = await plane.open(heard)
    stream.connect(phone.remote(), fill=False)
    stream.echo()
    phone.say(stream.local)
    assert (await phone.got()).payload == VOICE
    await plane.stop()
    assert isinstance(await heard.until(StreamClosed), StreamClosed)
    phone.transport.close()


@pytest.mark.parametrize("library", ["asyncio", pytest.param("uvloop", marks=pytest.mark.needs("uvloop"))])
def test_any_event_loop_will_do(library: str) -> None:
    with asyncio.Runner(loop_factory=import_module(library).new_event_loop) as runner:
        runner.run(carry_one_call())


async def test_a_stream_of_another_worker_cannot_be_bridged(plane: WorkerPlane) -> None:
    other = WorkerPlane(HOST)
    await other.start()
    foreign, own = await other.open(Heard()), await plane.open(Heard())
    with pytest.raises(ValueError, match="same worker"):
        own.bridge(foreign)
    await other.stop()


async def test_a_burst_beyond_the_stock_is_served(phones: Phones) -> None:
    plane = WorkerPlane(HOST, stock=4)
    await plane.start()
    async with asyncio.timeout(10):
        streams = await asyncio.gather(*(plane.open(Heard()) for _ in range(100)))
    assert len({stream.local.port for stream in streams}) == 100
    await plane.stop()
