"""INFO: digits of telephones that know no RFC 4733, and what else comes in it (RFC 6086)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.raw_caller import RawCaller

from ringfence.server.phones.sound import NotAnsweredError
from ringfence.server.switch.events import DigitPressed

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def test_digits_by_info_reach_whoever_collects_them(pbx: PbxUnderTest) -> None:
    """They choose from the attendant's menu as those of RFC 4733 do."""
    anna = await pbx.phone("100")
    caller = await pbx.outside("+49731999")
    call = await caller.dial("08955550200")
    await call.answered()
    await asyncio.sleep(1)
    await call.send_info_digits("1")
    answered = await anna.answer()
    pressed = await pbx.wait_for(DigitPressed)
    assert pressed.digit == "1"
    await call.hang_up()
    await answered.ended()


async def test_digits_by_info_pass_through_a_bridge_as_rfc_4733_events(pbx: PbxUnderTest) -> None:
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    await call.send_info_digits("12*#D0")
    await answered.send_info_digits("9")
    await asyncio.sleep(3)
    assert (answered.digits, call.digits) == ("12*#D0", "9")
    await call.hang_up()


async def test_digits_to_somebody_who_rings_are_answered_and_lost(pbx: PbxUnderTest) -> None:
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    call = await clara.dial("101")
    await ben.ringing()
    assert (await call._ask("INFO", [("Content-Type", "application/dtmf")], b"5")).status == 200
    await call.hang_up()
    with pytest.raises(NotAnsweredError):
        await call.send_info_digits("1")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "digit"),
    [
        ("application/dtmf-relay", b"Signal=7\r\nDuration=250\r\n", 200, "7"),
        ("application/dtmf-relay", b"signal= #\nduration= 100", 200, "#"),
        ("Application/DTMF-Relay;x=y", b"Signal=a", 200, "A"),
        ("application/dtmf-relay", b"Signal=10", 200, "*"),
        ("application/dtmf-relay", b"Signal=11", 200, "#"),
        ("application/dtmf", b"5\r\n", 200, "5"),
        ("application/dtmf", b" * ", 200, "*"),
        ("application/dtmf-relay", b"Signal=16\r\n", 200, None),
        ("application/dtmf-relay", b"Signal=17\r\n", 400, None),
        ("application/dtmf-relay", b"Signal=\r\n", 400, None),
        ("application/dtmf", b"55555", 400, None),
        ("application/dtmf", "٣".encode(), 400, None),
        ("application/media_control+xml", b"<x/>", 415, None),
        ("text/plain", b"1", 415, None),
    ],
)
async def test_what_a_body_tells(
    pbx: PbxUnderTest, content_type: str, body: bytes, status: int, digit: str | None
) -> None:
    """RFC 3261 21.4.13: another type gets 415 with Accept; flash is understood and is no digit."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9905")
        caller.ack()
        answer = await caller.ask("INFO", body=body, content_type=content_type)
        assert answer.status == status
        accepts = "application/dtmf-relay, application/dtmf" if status == 415 else None
        assert answer.get("accept") == accepts
        pressed = [one.event.digit for one in pbx.server.stream.recent if isinstance(one.event, DigitPressed)]
        assert pressed == ([digit] if digit else [])
        await caller.bye()


async def test_info_without_a_body_is_a_sign_of_life(pbx: PbxUnderTest) -> None:
    """RFC 6086 4.2.2, the use of RFC 2976."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9901")
        caller.ack()
        assert (await caller.ask("INFO")).status == 200
        await caller.bye()


async def test_an_info_package_is_one_that_we_do_not_know(pbx: PbxUnderTest) -> None:
    """RFC 6086 4.2.2: 469 with the packages that we want to receive, which are none."""
    async with RawCaller(pbx) as caller:
        await caller.invite("9901")
        caller.ack()
        answer = await caller.ask(
            "INFO", headers=(("Info-Package", "foo"),), body=b"x", content_type="application/foo"
        )
        assert (answer.status, answer.get("recv-info")) == (469, "")
        assert "INFO" in answer.values("allow")
        await caller.bye()


async def test_info_outside_a_dialog_gets_481(pbx: PbxUnderTest) -> None:
    """RFC 6086 4.2.2."""
    async with RawCaller(pbx) as caller:
        caller.send(caller.make("INFO", "sip:089555509901@klein.example"))
        assert (await caller.response()).status == 481


async def test_a_key_that_is_told_by_info_and_in_the_audio_was_pressed_once(pbx: PbxUnderTest) -> None:
    """RFC 4733 and RFC 6086, both at once and in either order: to another telephone, and to a feature."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    for digits in ("1", "55", "9"):
        await asyncio.gather(call.send_info_digits(digits), call.send_digits(digits))
        await asyncio.sleep(1)
    await call.send_digits("7")
    await call.send_info_digits("7")
    await asyncio.sleep(2)
    await call.send_info_digits("7")
    await asyncio.sleep(1)
    assert answered.digits == "155977"
    await call.hang_up()
    outside = await pbx.outside("+49731999")
    box = await outside.dial("08955550199")
    await box.answered()
    for digits in ("1", "0", "1", "#"):
        await asyncio.gather(box.send_info_digits(digits), box.send_digits(digits))
    await asyncio.sleep(1)
    happened = [stamped.event for stamped in pbx.server.stream.recent]
    assert "".join(event.digit for event in happened if isinstance(event, DigitPressed)) == "101#"
    await box.hang_up()
