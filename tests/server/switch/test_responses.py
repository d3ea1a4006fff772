"""How calls are answered for which no channel is free (W-10): by profile, by the site's own choice, or elsewhere."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media.g711 import encode
from ringfence.channels.media.plane import Codec, Prompt
from ringfence.channels.media.prompts import prompt_payload
from ringfence.features.responses.profiles import PROFILES
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.responses import Responses
from ringfence.server.switch.events import Refused

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

pytestmark = pytest.mark.virtual_time
SMALL = read_site("small").text.replace("ip_channel = 4", "ip_channel = 2")
SCARCE_ATTENDANTS = read_site("small").text.replace("ip_channel = 4", "ip_channel = 25")
ROOT = "08955550"
ATTENDANT, BOX = "200", "*100"


def responding(text: str, site: str = SMALL) -> str:
    return f"{site}\n[responses]\n{text}\n"


async def use_up(pbx: PbxUnderTest, count: int = 2) -> list[PhoneCall]:
    """Occupy all channels."""
    caller = await pbx.outside("+4989777")
    return [await caller.dial(ROOT + ATTENDANT) for _ in range(count)]


async def told(
    pbx: PbxUnderTest, number: str, *, outside: bool
) -> tuple[int, str, str | None, str | None, int | None]:
    """Call and be refused: status, phrase, Retry-After, reason code and Q.850 cause."""
    phone = await (pbx.outside("+4989100") if outside else pbx.phone("101"))
    call = await phone.dial(ROOT + number if outside else number)
    if call.has_early_media:
        await call.ended()
    assert call.response is not None
    return call.status, call.response.reason, call.response.get("retry-after"), call.reason, call.cause


def causes(call: PhoneCall) -> list[str]:
    """Every Q.850 cause of a refusal, the first one being its own."""
    assert call.response is not None
    return re.findall(r"cause=(\d+)", call.response.get("reason") or "")


def as_is(
    pool: str, status: int, phrase: str, retry: str | None
) -> tuple[int, str, str | None, str | None, int | None]:
    return status, phrase, retry, f"{pool}.exhausted", 34


PROFILED = [
    ("ringfence", (503, "Service Unavailable", "5"), (503, "Service Unavailable", "5")),
    ("freeswitch", (503, "Maximum Calls In Progress", "300"), (503, "Maximum Calls In Progress", "300")),
    ("jambonz", (503, "Maximum Calls In Progress", "5"), (503, "Maximum Calls In Progress", "5")),
    ("asterisk", (503, "Service Unavailable", "5"), (503, "Service Unavailable", "5")),
    ("genesys", (503, "Service Unavailable", "5"), (503, "Service Unavailable", "5")),
    ("ivozprovider", (403, "Maxcalls exceeded", None), (486, "Busy Here", "5")),
    ("3cx", (503, "Service Unavailable", "5"), (486, "Busy Here", "5")),
    ("mor", (486, "Busy Here", "5"), (486, "Busy Here", "5")),
]


@pytest.mark.parametrize(
    ("profile", "inside", "outside"),
    [
        pytest.param(*one, marks=pytest.mark.ringfence(site=responding(f'profile = "{one[0]}"')), id=one[0])
        for one in PROFILED
    ],
)
async def test_a_profile_answers_as_the_system_of_its_name(
    pbx: PbxUnderTest, profile: str, inside: tuple[int, str, str | None], outside: tuple[int, str, str | None]
) -> None:
    """Domain 5.3; attendant and box alike, and the reason stays what it is."""
    calls = await use_up(pbx)
    for number in (ATTENDANT, BOX):
        assert await told(pbx, number, outside=False) == as_is("ip_channel", *inside)
        assert await told(pbx, number, outside=True) == as_is("ip_channel", *outside)
    assert pbx.pools.ip_channel.denied == 4
    for call in calls:
        await call.hang_up()
    assert pbx.server.site.responses.profile == profile


def test_a_site_can_name_every_profile_that_there_is() -> None:
    names = Responses.__dataclass_fields__["profile"].type.__args__  # type: ignore[union-attr]
    assert names == tuple(PROFILES) == tuple(name for name, _, _ in PROFILED)


@pytest.mark.ringfence(
    site=responding(
        "auto_attendant = { internal = 603, external = 486 }\nip_channel = { internal = 403 }",
        SCARCE_ATTENDANTS,
    )
)
async def test_each_pool_has_its_own_answers(pbx: PbxUnderTest) -> None:
    """The attendants are used up and IP channels are not, then both; what is not chosen says the profile."""
    calls = await use_up(pbx, 20)
    assert await told(pbx, ATTENDANT, outside=False) == as_is("auto_attendant", 603, "Decline", "5")
    assert await told(pbx, ATTENDANT, outside=True) == as_is("auto_attendant", 486, "Busy Here", "5")
    caller = await pbx.outside("+4989777")
    calls += [await caller.dial(ROOT + BOX) for _ in range(5)]
    assert await told(pbx, BOX, outside=False) == as_is("ip_channel", 403, "Forbidden", None)
    assert await told(pbx, BOX, outside=True) == as_is("ip_channel", 503, "Service Unavailable", "5")
    for call in calls:
        await call.hang_up()


@pytest.mark.ringfence(site=responding('ip_channel = { external = "announcement" }'))
async def test_an_announcement_is_early_media_and_takes_no_channel(pbx: PbxUnderTest) -> None:
    """W-15, RFC 3960: a 183 with SDP, the words, then the usual refusal."""
    calls = await use_up(pbx)
    call = await (await pbx.outside("+4989100")).dial(ROOT + ATTENDANT)
    await call.progressed()
    assert pbx.pools.ip_channel.used == 2
    await call.ended()
    assert (call.status, call.reason, call.cause, call.is_answered) == (
        503,
        "ip_channel.exhausted",
        34,
        False,
    )
    heard = encode((await call.heard()).samples, Codec.PCMA)
    assert prompt_payload(Prompt("no_channel", "en"), Codec.PCMA)[4000:16000] in heard
    for one in calls:
        await one.hang_up()


@pytest.mark.ringfence(site=responding('ip_channel = { external = "announcement" }'))
async def test_who_hangs_up_while_he_is_told_leaves_nothing(pbx: PbxUnderTest) -> None:
    calls = await use_up(pbx)
    call = await (await pbx.outside("+4989100")).dial(ROOT + ATTENDANT)
    await call.progressed()
    await call.hang_up()
    await call.ended()
    assert call.status == 487
    for one in calls:
        await one.hang_up()
    await asyncio.sleep(1)
    assert not pbx.server.switch.connections


@pytest.mark.ringfence(site=responding('ip_channel = { external = "announcement" }'))
async def test_a_box_after_no_answer_is_announced_as_full_up_with_the_first_cause(pbx: PbxUnderTest) -> None:
    """The refusal of the box, and as a second Reason value why the call came there."""
    calls = await use_up(pbx)
    call = await (await pbx.outside("+4989100")).dial(ROOT + "100")
    await call.ended()
    assert (call.status, call.reason) == (503, "ip_channel.exhausted")
    assert causes(call) == ["34", "20"]
    for one in calls:
        await one.hang_up()


# -- overflow --------------------------------------------------------------------------------------------------


def overflowing(target: str, more: str = "") -> str:
    return SMALL.replace('extension = "200"\n', f'extension = "200"\noverflow = "{target}"\n{more}')


@pytest.mark.ringfence(site=overflowing("busy"))
async def test_an_attendant_whose_overflow_is_busy_is_busy(pbx: PbxUnderTest) -> None:
    calls = await use_up(pbx)
    assert await told(pbx, ATTENDANT, outside=True) == as_is("ip_channel", 486, "Busy Here", "5")
    assert await told(pbx, BOX, outside=True) == as_is("ip_channel", 503, "Service Unavailable", "5")
    for call in calls:
        await call.hang_up()


@pytest.mark.ringfence(site=overflowing("101"))
async def test_an_attendant_s_overflow_rings_a_telephone_and_takes_no_channel(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    calls = await use_up(pbx)
    refused = asyncio.ensure_future(pbx.wait_for(Refused, reason="ip_channel.exhausted"))
    call = await (await pbx.outside("+4989100")).dial(ROOT + ATTENDANT)
    answered = await ben.answer()
    await call.answered()
    assert (await refused).what == "call from +4989100 to 08955550200, which went on to 101"
    assert (pbx.pools.ip_channel.used, pbx.pools.ip_channel.denied) == (2, 1)
    await answered.hang_up()
    for one in calls:
        await one.hang_up()


@pytest.mark.ringfence(site=overflowing("101"))
async def test_an_overflow_that_nobody_takes_tells_why_and_what_came_first(pbx: PbxUnderTest) -> None:
    calls = await use_up(pbx)
    call = await (await pbx.outside("+4989100")).dial(ROOT + ATTENDANT)
    assert (call.status, call.reason) == (480, "user.not_registered")
    assert causes(call) == ["20", "34"]
    for one in calls:
        await one.hang_up()


@pytest.mark.ringfence(
    site=overflowing("201") + '\n[[auto_attendant]]\nname = "lager"\nextension = "201"\noverflow = "200"\n'
)
async def test_an_overflow_of_an_overflow_is_refused(pbx: PbxUnderTest) -> None:
    calls = await use_up(pbx)
    assert await told(pbx, ATTENDANT, outside=True) == as_is("ip_channel", 503, "Service Unavailable", "5")
    for one in calls:
        await one.hang_up()
