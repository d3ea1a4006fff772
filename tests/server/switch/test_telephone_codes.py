"""What a user sets for himself by a code counts from the next call on, and a tone says that it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.site.events import SettingChanged

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.phone import Phone

pytestmark = pytest.mark.virtual_time


async def done(phone: Phone, code: str) -> None:
    """Dial a code, hear the tone, and be hung up."""
    call = await phone.dial(code)
    await call.answered()
    await asyncio.sleep(0.8)
    assert (await call.heard()).contains_tone(425, 0.8)
    await call.ended()


async def test_all_calls_are_forwarded_by_a_code_until_another_one(pbx: PbxUnderTest) -> None:
    anna, ben, clara = [await pbx.phone(number) for number in ("100", "101", "102")]
    await done(anna, "*21*102#")
    changed = await pbx.wait_for(SettingChanged)
    assert changed == SettingChanged("anna", "telephone", "forward.always", False)
    assert pbx.pools.ip_channel.high_water == 0
    call = await ben.dial("100")
    assert (await clara.ringing()).caller == "101"
    await call.hang_up()
    await done(anna, "*21*")
    call = await ben.dial("100")
    assert (await anna.ringing()).caller == "101"
    await call.hang_up()


@pytest.mark.parametrize(
    ("code", "off", "key", "value"),
    [
        ("*67*102", "*67*", "busy", "102"),
        ("*61**101", "*61*", "no_answer", "*101"),
        ("*21*102", "*21*", "always", "102"),
    ],
)
async def test_each_kind_has_its_codes_and_any_number_may_follow(
    pbx: PbxUnderTest, code: str, off: str, key: str, value: str
) -> None:
    ben = await pbx.phone("101")
    await done(ben, code)
    user = pbx.server.administration.directory.by_name("ben")
    assert user is not None
    assert list(user.forward.targets() if user.forward else ()) == [((key,), value)]
    await done(ben, off)
    user = pbx.server.administration.directory.by_name("ben")
    assert user is not None
    assert not list(user.forward.targets() if user.forward else ())


async def test_a_forwarding_that_leads_to_oneself_or_to_nobody_s_box_is_refused(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    for code in ("*21*101", "*21**555"):
        call = await ben.dial(code)
        assert (call.status, call.reason) == (404, "number.unknown")
    user = pbx.server.administration.directory.by_name("ben")
    assert user is not None
    assert user.forward is None


async def test_do_not_disturb_and_call_waiting_have_codes_for_on_and_off(pbx: PbxUnderTest) -> None:
    softphone, clara = await pbx.phone("ben"), await pbx.phone("102")
    await done(softphone, "**21")
    assert (await clara.dial("101")).reason == "user.do_not_disturb"
    await done(softphone, "**20")
    call = await clara.dial("101")
    assert call.rings
    await call.hang_up()
    await done(softphone, "**40")
    talking = await softphone.dial("9900")
    await talking.answered()
    assert (await clara.dial("101")).reason == "user.busy"
    await talking.hang_up()
    await done(softphone, "**41")
    ben = pbx.server.administration.directory.by_name("ben")
    assert ben is not None
    assert ben.settings == ()


@pytest.mark.ringfence(
    site=read_site("small").text + '\n[feature_codes]\ndo_not_disturb = ""\ncall_back = "*5"\n'
)
async def test_a_code_that_the_site_has_not_is_a_number_as_any_other(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    assert (await ben.dial("**21")).reason == "number.unknown"
    assert (await ben.dial("*5")).reason == "call_back.nobody"


async def test_from_outside_a_code_is_nobody(pbx: PbxUnderTest) -> None:
    outside = await pbx.outside("0731999")
    assert (await outside.dial("08955550**21")).reason == "number.unknown"
