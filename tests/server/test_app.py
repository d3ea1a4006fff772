"""The composition root: several servers in one process, and what a server leaves or finds behind."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.plane import Silence, Tone
from ringfence.channels.media.worker_events import MediaWorkerEnded, MediaWorkerRestarted
from ringfence.features.voicemail.settings import BEEP, BoxSettings
from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.server.app import Options, Pbx
from ringfence.server.event_form import name_of
from ringfence.server.site.acts import ImportPackage
from ringfence.server.site.site import Site
from ringfence.server.switch.boxes import Boxes
from ringfence.server.switch.events import CallEnded, MessageLeft, Refused

from .issued import issued

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.channels.media.worker_plane import WorkerPlane

SMALL = Site.sample("small")


async def test_two_servers_in_one_process_know_nothing_of_each_other() -> None:
    one = await PbxUnderTest.start(SMALL, Options(seed=1, in_process=True))
    other = await PbxUnderTest.start(SMALL, Options(seed=1, in_process=True))
    caller = await one.outside("+49731999")
    call = await caller.dial("08955550*100")
    assert (one.pools.ip_channel.used, other.pools.ip_channel.used) == (1, 0)
    assert one.server.sip != other.server.sip
    assert one.http != other.http
    await call.hang_up()
    await one.stop()
    await other.stop()


async def test_what_a_killed_server_had_not_finished_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / "recording" / "recording-3.wav"
    left.parent.mkdir()
    left.write_bytes(b"somebody's voice")
    server = await Pbx.start(SMALL, Options(http_port=None, data_dir=tmp_path, in_process=True))
    assert not left.exists()
    await server.stop()
    assert not left.parent.exists()


async def test_a_port_in_use_is_an_error_and_leaves_nothing_open() -> None:
    server = await Pbx.start(SMALL, Options(in_process=True))
    with pytest.raises(OSError, match="in use"):
        await Pbx.start(SMALL, Options(in_process=True, sip_port=server.sip.port))
    await server.stop()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
async def test_when_the_media_worker_is_lost_its_calls_end_with_their_reason_and_the_next_one_is_served(
    how: signal.Signals,
) -> None:
    """`media.lost`: BYE with cause 41, the lease closed; the worker is started again, and the stream tells of it."""
    pbx = await PbxUnderTest.start(SMALL, Options(seed=1))
    caller = await pbx.outside("+49731999")
    call = await caller.dial("08955550*100")
    plane: WorkerPlane = pbx.server.plane  # type: ignore[assignment]
    lost = plane.pid
    assert lost is not None
    os.kill(lost, how)
    async with asyncio.timeout(1 if how is signal.SIGKILL else 5):
        await call.ended()
    ended = await pbx.wait_for(CallEnded)
    refused = await pbx.wait_for(Refused)
    assert (ended.cause, refused.reason, pbx.pools.ip_channel.used) == (41, "media.lost", 0)
    again = await caller.dial("08955550*100")
    assert again.is_answered
    restarted = await pbx.wait_for(MediaWorkerRestarted)
    died = await pbx.wait_for(MediaWorkerEnded)
    assert died == MediaWorkerEnded(lost, -signal.SIGKILL, hung=how is signal.SIGSTOP, streams=1)
    assert (restarted.pid, name_of(restarted)) == (plane.pid, "media.worker.restarted")
    await again.hang_up()
    await pbx.stop()


async def test_a_message_that_was_being_left_is_kept_up_to_the_death_of_the_media_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To the last whole second that was heard."""
    monkeypatch.setattr(Boxes, "box_of", lambda _, user: BoxSettings(user, "1234", Silence(0.02)))
    pbx = await PbxUnderTest.start(SMALL, Options(seed=1))
    caller = await pbx.outside("+49731999")
    call = await caller.dial("08955550*100")
    await call.answered()
    await call.hear_tone(BEEP.frequencies_hz[0])
    await call.play(Tone((500,), 2.2))
    plane: WorkerPlane = pbx.server.plane  # type: ignore[assignment]
    assert plane.pid is not None
    os.kill(plane.pid, signal.SIGKILL)
    left = await pbx.wait_for(MessageLeft, user="anna")
    (message,) = await pbx.voicemails("anna")
    sound = Audio.from_wav(message.path)
    assert 1.0 <= left.duration_s == sound.duration_s <= 2.5
    assert sound.between(0.5, 1.0).contains_tone(500)
    await pbx.stop()


async def test_the_pools_follow_an_imported_package_at_once_and_after_a_restart(tmp_path: Path) -> None:
    """L-15, L-75"""
    server = await Pbx.start(SMALL, Options(http_port=None, data_dir=tmp_path, in_process=True))
    assert server.pools.ip_channel.limit == 4
    await server.administration.apply(ImportPackage(issued("p-1", ip_channel=2)))
    assert server.pools.ip_channel.limit == 6
    await server.stop()
    again = await Pbx.start(None, Options(http_port=None, data_dir=tmp_path, in_process=True))
    assert again.pools.ip_channel.limit == 6
    await again.stop()


async def test_both_ends_of_a_call_are_in_one_of_several_media_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The echo has one worker, the two who talk have the other, and hear each other."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr("ringfence.channels.media.worker_plane.SPARE_PORTS", 63)
    pbx = await PbxUnderTest.start(SMALL, Options(seed=1, rtp_ports=range(27000, 27256)))
    anna, ben, emil = [await pbx.phone(number) for number in ("100", "101", "104")]
    echo = await emil.dial("9901")
    await echo.answered()
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    alone, *both = [one.stream for one in pbx.server.switch.connections.values()]
    assert alone is not None
    assert [one is not None and alone.reaches(one) for one in both] == [False, False]
    await call.play(Tone((440,)))
    await answered.hear_tone(440)
    await call.hang_up()
    await echo.hang_up()
    await pbx.stop()
