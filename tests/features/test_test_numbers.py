"""The numbers that answer by themselves, and the emergency numbers."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Tone

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def test_9900_returns_what_it_hears_and_nothing_else(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("9900")
    await call.play(Tone((700,), 1.0))
    assert (await call.heard()).contains_tone(700)
    await call.hang_up()
    assert call.verdict.packets_received <= call.verdict.packets_sent


async def test_9901_plays_440_hz(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("9901")
    await call.answered()
    await asyncio.sleep(2)
    assert (await call.heard()).contains_tone(440, 0.9)
    await call.hang_up()


async def test_9902_rings_and_never_answers(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    began = asyncio.get_running_loop().time()
    call = await ben.dial("9902")
    assert call.rings
    await call.ended(200)
    assert (call.status, call.reason, call.cause) == (480, "user.no_answer", 19)
    assert asyncio.get_running_loop().time() - began == pytest.approx(180, abs=1)


async def test_9903_is_busy(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("9903")
    assert (call.status, call.reason, call.cause) == (486, "user.busy", 17)


async def test_9904_answers_after_three_seconds(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    began = asyncio.get_running_loop().time()
    call = await ben.dial("9904")
    await call.answered()
    assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.1)
    await call.hang_up()


async def test_9905_reads_digits_back(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("9905")
    await call.answered()
    await call.send_digits("7")
    await asyncio.sleep(2)
    assert (await call.heard()).rms > 200
    await call.hang_up()


@pytest.mark.parametrize(("number", "bursts"), [("9906", 0), ("9907", 10), ("9908", 20)])
async def test_9906_to_9908_are_the_dial_busy_and_congestion_tones_of_the_site(
    pbx: PbxUnderTest, number: str, bursts: int
) -> None:
    """Germany's, as in ITU-T E.180, supplement 2: a dialler that listens for them can be tried here."""
    ben = await pbx.phone("101")
    call = await ben.dial(number)
    await call.answered()
    await asyncio.sleep(1.0)
    await call.heard()
    await asyncio.sleep(9.6)
    heard = await call.heard()
    await call.hang_up()
    assert heard.contains_tone(425, 0.4)
    loud = [heard.between(at / 100, (at + 1) / 100).rms > 100 for at in range(960)]
    assert sum(one < other for one, other in pairwise(loud)) == pytest.approx(bursts, abs=1)


async def test_9909_is_the_special_information_tone_again_and_again(pbx: PbxUnderTest) -> None:
    """E.180: three tones, one after the other."""
    ben = await pbx.phone("101")
    call = await ben.dial("9909")
    await call.answered()
    for _ in range(2):
        for frequency_hz in (950, 1400, 1800):
            await call.hear_tone(frequency_hz)
    await call.hang_up()


@pytest.mark.parametrize("status", [400, 404, 486, 503, 603, 699])
async def test_a_status_number_answers_just_that(pbx: PbxUnderTest, status: int) -> None:
    ben = await pbx.phone("101")
    assert (await ben.dial(f"99{status}")).status == status


async def test_99200_answers_inactive_and_takes_no_stream(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial("99200")
    await call.answered()
    assert call.response is not None
    assert b"a=inactive" in call.response.body
    await call.hang_up()


async def test_test_numbers_take_no_channel_and_no_licence(pbx: PbxUnderTest) -> None:
    emil = await pbx.phone("104")
    call = await emil.dial("9901")
    await call.answered()
    assert pbx.pools.ip_channel.high_water == 0
    await call.hang_up()


async def test_an_emergency_call_passes_every_licence_check(pbx: PbxUnderTest) -> None:
    """Dora's softphone has no licence; 112 answers her all the same, and takes no channel."""
    dora = await pbx.phone("dora")
    refused, call = await dora.dial("9900"), await dora.dial("112")
    await call.answered()
    await asyncio.sleep(3)
    assert refused.status == 403
    assert (await call.heard()).rms > 100
    assert pbx.pools.ip_channel.high_water == 0
    await call.hang_up()


@pytest.mark.parametrize("number", ["9901", "9905", "9907", "112"])
async def test_a_test_number_is_not_cut_off_after_a_minute(pbx: PbxUnderTest, number: str) -> None:
    ben = await pbx.phone("101")
    call = await ben.dial(number)
    await call.answered()
    await asyncio.sleep(70)
    assert not call.is_over
    await call.hang_up()
