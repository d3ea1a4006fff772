"""A whole server and a telephone without telephone events: its keys are heard as tones (ITU-T Q.23)."""

from __future__ import annotations

import asyncio

import pytest

from ringfence.channels.media.plane import Tone
from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options
from ringfence.server.switch.events import DigitPressed

ATTENDANT = "08955550200"


async def navigate(pbx: PbxUnderTest) -> None:
    """Press a key in the attendant's menu, and speak with whom it leads to."""
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    caller.telephone_events = False
    call = await caller.dial(ATTENDANT)
    await call.send_digits("2")
    ringing = await ben.answer()
    await call.play(Tone((440,), 0.5))
    assert (await ringing.heard()).contains_tone(440)
    await call.send_digits("7")
    await call.hang_up()
    pressed = [one.event.digit for one in pbx.server.stream.recent if isinstance(one.event, DigitPressed)]
    assert pressed == ["2"], "once in the menu, and never where two telephones talk"


@pytest.mark.virtual_time
async def test_a_caller_navigates_the_attendant_by_tones(pbx: PbxUnderTest) -> None:
    await navigate(pbx)


async def test_a_caller_navigates_the_attendant_by_tones_that_the_worker_hears() -> None:
    """The same in real time, over a media worker."""
    pbx = await PbxUnderTest.start(read_site("small"), Options(seed=1, http_port=None))
    try:
        await navigate(pbx)
    finally:
        await pbx.stop()


@pytest.mark.virtual_time
async def test_a_box_is_listened_to_by_tones(pbx: PbxUnderTest) -> None:
    """Box number and PIN, each key by a tone of 100 ms, while the announcements play."""
    caller = await pbx.outside("+49731999")
    caller.telephone_events = False
    call = await caller.dial("08955550199")
    await call.send_digits("100#")
    await asyncio.sleep(1)
    await call.send_digits("9999#")
    await asyncio.sleep(1)
    pressed = [one.event.digit for one in pbx.server.stream.recent if isinstance(one.event, DigitPressed)]
    assert "".join(pressed) == "100#9999#"
    await call.hang_up()
