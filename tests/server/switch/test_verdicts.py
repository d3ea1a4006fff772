"""How the audio of a call fared, at a scripted phone, in the API, in the journal and for webhooks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.plane import Codec, Tone
from ringfence.fixtures.plugin import read_site
from ringfence.server.event_form import TOLD_OUTSIDE, name_of, values_of
from ringfence.server.switch.events import StreamEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def test_a_phone_has_the_verdict_of_its_call(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("9900")
    await asyncio.sleep(2.0)
    live = await call.measured()
    await asyncio.sleep(2.0)
    await call.hang_up()
    await call.ended()
    verdict = call.verdict
    assert 90 <= live.packets_received < verdict.packets_received <= verdict.packets_sent <= 202
    assert (verdict.codec, verdict.ptime_ms, verdict.packets_lost) == (Codec.PCMA, 20, 0)
    assert verdict.mos is not None
    assert verdict.mos > 4.3
    assert await call.measured() == verdict


async def test_both_legs_of_a_bridged_call_are_in_the_journal(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    dialling = asyncio.create_task(anna.dial("101"))
    taken = await ben.answer()
    call = await dialling
    await call.send_digits("4#")
    await asyncio.sleep(1.0)
    (live,) = pbx.server.switch.calls.values()
    verdicts = [await one.measured() for one in live.connections]
    assert all(one is not None and one.packets_received > 50 for one in verdicts)
    await call.hang_up()
    await taken.ended()
    assert taken.digits == taken.verdict.digits == "4#"
    page = await pbx.server.journal.find(number="101")
    legs = page.legs[page.entries[0].call_id or ""]
    assert {leg.device for leg in legs} == {"100", "101"}
    assert all(leg.verdict["packets_received"] > 50 and leg.verdict["mos"] > 4 for leg in legs)


async def test_what_is_told_outside_counts_digits_and_never_names_them(pbx: PbxUnderTest) -> None:
    """A voicemail PIN is a row of digits."""
    anna = await pbx.phone("100")
    call = await anna.dial("9905")
    await call.send_digits("8264")
    await call.hang_up()
    ended = await pbx.wait_for(StreamEnded)
    assert ended.verdict["digits"] == 4
    assert name_of(ended) in TOLD_OUTSIDE
    assert "8264" not in json.dumps(values_of(ended))


async def test_a_call_without_audio_has_no_verdict(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("99200")
    (live,) = pbx.server.switch.calls.values()
    assert [await one.measured() for one in live.connections] == [None]
    await call.hang_up()
    page = await pbx.server.journal.find(number="99200")
    assert page.legs == {}


async def test_rtcp_tells_both_ends_what_the_other_one_heard(pbx: PbxUnderTest) -> None:
    """RFC 3550, 6: the reports of a scripted phone and of Ringfence's leg, by the ports above those of the RTP."""
    anna = await pbx.phone("100")
    call = await anna.dial("9901")
    assert (await call.measured()).remote is None
    await asyncio.sleep(20.0)
    (live,) = pbx.server.switch.calls.values()
    (connection,) = live.connections
    for verdict in (await call.measured(), await connection.measured()):
        assert verdict is not None
        assert verdict.remote is not None
        assert (verdict.remote.packets_lost, verdict.remote.loss) == (0, 0.0)
        assert verdict.remote.round_trip_ms is not None
        assert verdict.packets_refused == 0
    await call.hang_up()
    ended = await pbx.wait_for(StreamEnded)
    assert ended.verdict["remote"]["packets_lost"] == 0


@pytest.mark.ringfence(site=read_site("small").text + "\n[media]\nenergy = true\n")
async def test_where_it_is_asked_for_loudness_and_tones_are_told(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    anna.measures_energy = True
    call = await anna.dial("9901")
    await call.play(Tone((1400,), 2.0))
    await call.hang_up()
    await call.ended()
    energy = call.verdict.energy
    assert energy is not None
    assert energy.tones_hz == (440,)
    assert energy.silence < 0.1
    ended = await pbx.wait_for(StreamEnded)
    assert ended.verdict["energy"]["tones_hz"] == (1400,)
    assert json.loads(json.dumps(values_of(ended)))["verdict"]["energy"]["mean_dbm0"] < 0


async def test_where_nobody_asks_it_is_not_measured(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("9901")
    await asyncio.sleep(1.0)
    assert (await call.measured()).energy is None
