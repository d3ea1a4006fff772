"""Each voice function in each licence state, by telephone: the status, the reason, its cause, and what is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.features.box_caller import put
from tests.server.function_table import FUNCTIONS, Function, cells, site

from ringfence.server.site.personal import settings_of
from ringfence.server.switch.events import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Response

pytestmark = pytest.mark.virtual_time

Asked = tuple[int, str | None, int | None]
"""A SIP status, the reason, and the cause of the header Reason."""


def told(response: Response) -> Asked:
    return response.status, response.get("x-license-reason"), cause(response)


def cause(response: Response) -> int | None:
    reason = response.get("reason")
    return None if reason is None else int(reason.partition("cause=")[2].partition(";")[0])


async def register(pbx: PbxUnderTest, account: str) -> Asked:
    phone = await pbx.phone(account, register=False, transport="TCP" if "+" in account else None)
    return told(await phone.register())


async def dial(pbx: PbxUnderTest, account: str, number: str) -> Asked:
    call = await (await pbx.phone(account)).dial(number)
    if call.status:
        assert call.response is not None
        return told(call.response)
    await call.answered()
    await call.hang_up()
    return 200, None, None


async def softphone(pbx: PbxUnderTest) -> Asked:
    return await register(pbx, "anna")


async def softphone_mobile(pbx: PbxUnderTest) -> Asked:
    return await register(pbx, "anna+mobile")


async def leave_message(pbx: PbxUnderTest) -> Asked:
    return await dial(pbx, "101", "*100")


async def hear_messages(pbx: PbxUnderTest) -> Asked:
    return await dial(pbx, "100", "199")


async def watch(pbx: PbxUnderTest) -> Asked:
    watch = await (await pbx.phone("102")).subscribe("presence", "anna")
    assert watch.response is not None
    return told(watch.response)


async def write(pbx: PbxUnderTest) -> Asked:
    await pbx.phone("anna")
    return told(await (await pbx.phone("102")).message("anna", "Guten Tag"))


async def pull(pbx: PbxUnderTest) -> Asked:
    """Fetch a call by the code; where nothing stands against it there is none to be fetched."""
    status, reason, number = await dial(pbx, "100", "*6")
    return (200, None, None) if reason == "pull.nothing" else (status, reason, number)


ASK = {
    "softphone": (softphone,),
    "softphone_mobile": (softphone_mobile,),
    "one_number": (pull,),
    "presence": (watch,),
    "chat": (write,),
    "voicemail": (leave_message, hear_messages),
}


@cells(*ASK)
async def test_by_telephone(pbx: PbxUnderTest, function: Function, state: str) -> None:
    """L-06, L-21 to L-24, L-30, L-46, L-47."""
    if state == "moved_away":
        await pbx.move("anna", "Haus", "Ohne")
    for ask in ASK[function.name]:
        status, number = function.sip(state)
        assert await ask(pbx) == (status, function.reason(state), number)
    expect_setting(pbx, function, state)


@cells("voicemail_sms")
async def test_by_sms(pbx: PbxUnderTest, tmp_path: Path, function: Function, state: str) -> None:
    """L-36: who lacks a licence gets none, and an event says why; who lost the function has nobody to tell."""
    if state == "moved_away":
        await pbx.move("anna", "Haus", "Ohne")
    await put(pbx, tmp_path, caller="101")
    reason = function.reason(state)
    if reason is None:
        assert (await pbx.outbox.wait_for(kind="sms", user="anna")).to == "+491701234567"
    elif function.keeps_setting(state):
        await pbx.wait_for(Refused, reason=reason, user="anna")
        assert await pbx.outbox.list(kind="sms") == ()
    expect_setting(pbx, function, state)
    assert len(await pbx.voicemails("anna")) == 1


ATTENDANT = """
[[auto_attendant]]
name = "zentrale"
extension = "200"
menu = { "1" = "100" }
"""


def attended(**bought: int) -> pytest.MarkDecorator:
    """The site with an attendant, and these licences."""
    text = site(FUNCTIONS["voicemail"], "assigned")
    for key, count in bought.items():
        text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {count}", text)
    return pytest.mark.ringfence(site=text + ATTENDANT)


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param((200, None, None), marks=attended(), id="assigned"),
        pytest.param(
            (403, "license.auto_attendant.under_licensed", 50),
            marks=attended(auto_attendant=0),
            id="under_licensed",
        ),
        pytest.param((403, "server.unlicensed", 50), marks=attended(server=0), id="prerequisite"),
        pytest.param((403, "license.auto_attendant.blocked", 50), marks=attended(ip_channel=1), id="minimum"),
    ],
)
async def test_by_attendant(pbx: PbxUnderTest, expected: Asked) -> None:
    """L-16, L-21, L-32: nobody's function, but the system's."""
    assert await dial(pbx, "101", "200") == expected


@pytest.mark.ringfence(site=site(FUNCTIONS["voicemail"], "assigned"))
async def test_no_attendant_is_no_number(pbx: PbxUnderTest) -> None:
    assert await dial(pbx, "101", "200") == (404, "number.unknown", 1)


def expect_setting(pbx: PbxUnderTest, function: Function, state: str) -> None:
    """L-46, L-06."""
    anna = pbx.server.administration.directory.by_name("anna")
    assert anna is not None
    kept = {one.function for one in settings_of(anna, pbx.server.site.voicemail)}
    if function.setting:
        assert (function.name in kept) is function.keeps_setting(state)
