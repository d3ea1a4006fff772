"""Menus of an attendant on the wire: what is said when, and where every kind of target leads."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from tests.tone_file import write_tone

from ringfence.channels.media.g711 import encode
from ringfence.channels.media.plane import Codec, Prompt, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import SetSetting

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.channels.media.audio import Audio
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
ROOT = "08955550"
ATTENDANT = f"{ROOT}200"
SMALL = read_site("small").text
SIMPLE = 'menu = { "1" = "100", "2" = "101", "3" = "*102" }\n'
ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = """
[[calendar]]
name = "office"
time_zone = "Europe/Berlin"
hours = { "mon-fri" = ["08:00-17:00"] }
holidays = ["12-25"]
"""
TONES = {"": 400, "night": 700, "feast": 900, "boss": 1100, "abroad": 1300, "sales": 1500, "welcome": 1700}


def with_attendant(text: str, site: str = SMALL) -> str:
    """Return the small site with an attendant of these keys."""
    assert SIMPLE in site
    return site.replace(SIMPLE, text)


async def give_sounds(pbx: PbxUnderTest, tmp_path: Path) -> None:
    """Let each sound of the attendant be a tone of its own, of two seconds."""
    sounds = pbx.server.store.sounds
    for name, frequency_hz in TONES.items():
        write_tone(tmp_path / "sound.wav", frequency_hz, 2)
        await sounds.set_prompt("zentrale", await sounds.keep(tmp_path / "sound.wav", 2.0), name)


def said(heard: Audio) -> set[str]:
    """Name the sounds that are in it."""
    return {name for name, frequency_hz in TONES.items() if heard.contains_tone(frequency_hz, 0.4)}


async def until(pbx: PbxUnderTest, moment: datetime) -> None:
    """Let time pass to that moment in Berlin, in the next year that the clock has not begun."""
    now = pbx.server.clock.today()
    wanted = moment.replace(tzinfo=ZONE)
    assert wanted > now
    await asyncio.sleep((wanted - now).total_seconds())


def next_weekday(pbx: PbxUnderTest, weekday: int, hour: int) -> datetime:
    """Return that hour of the next such day after tomorrow."""
    day = pbx.server.clock.today().astimezone(ZONE).replace(tzinfo=None) + timedelta(days=1)
    while day.weekday() != weekday or (day.month, day.day) == (12, 25):
        day += timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


# -- greetings -------------------------------------------------------------------------------------------------

GREETINGS = (
    with_attendant("""
menu = { "1" = "100" }
greetings = [
  { when = { caller = "+49731999" }, say = ["boss"] },
  { when = { holiday = true }, say = ["feast"], then = "hang up" },
  { when = { hours = "closed" }, say = ["night"], then = "hang up" },
  { when = { language = "it" }, say = ["abroad"] },
]
""")
    + CALENDAR
)


@pytest.mark.ringfence(site=GREETINGS)
@pytest.mark.parametrize(
    ("weekday", "hour", "caller", "expected"),
    [
        (2, 9, "+4989100", {""}),
        (2, 19, "+4989100", {"night"}),
        (5, 9, "+4989100", {"night"}),
        (5, 9, "+49731999", {"boss", ""}),
        (2, 9, "+390612345", {"abroad", ""}),
    ],
)
async def test_the_first_greeting_that_holds_is_said(
    pbx: PbxUnderTest, tmp_path: Path, weekday: int, hour: int, caller: str, expected: set[str]
) -> None:
    """By business hours, caller and language; then the menu, or what the greeting leads to."""
    await give_sounds(pbx, tmp_path)
    await until(pbx, next_weekday(pbx, weekday, hour))
    call = await (await pbx.outside(caller)).dial(ATTENDANT)
    await asyncio.sleep(1.9)
    found = said(await call.heard())
    if found != {"night"}:
        await asyncio.sleep(1.9)
        found |= said(await call.heard())
    assert found == expected
    await (call.ended() if "night" in expected else call.hang_up())


@pytest.mark.ringfence(site=GREETINGS)
async def test_a_holiday_has_a_greeting_of_its_own(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await give_sounds(pbx, tmp_path)
    now = pbx.server.clock.today().astimezone(ZONE)
    year = now.year + (now.month == 12 and now.day >= 25)
    await until(pbx, datetime(year, 12, 25, 9))  # noqa: DTZ001 - `until` puts it in Berlin
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await asyncio.sleep(1.5)
    assert said(await call.heard()) == {"feast"}
    await call.ended()


@pytest.mark.ringfence(
    site=with_attendant('menu = { "1" = "100" }\ngreetings = [{ say = ["welcome"], early = true }]\n')
)
async def test_an_announcement_before_the_answer_is_early_media_and_occupies_both_channels(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    """RFC 3960, L-71: a 183 with SDP, the announcement, and only then the 200 and the menu."""
    await give_sounds(pbx, tmp_path)
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.progressed()
    await asyncio.sleep(1.5)
    assert not call.is_answered
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 1)
    assert said(await call.heard()) == {"welcome"}
    await call.answered()
    await call.heard()
    await asyncio.sleep(1.5)
    assert said(await call.heard()) == {""}
    await call.hang_up()
    await asyncio.sleep(1)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (0, 0)


@pytest.mark.ringfence(
    site=with_attendant('greetings = [{ say = ["night"], early = true, then = "hang up" }]\n')
)
async def test_an_announcement_can_be_all_and_is_never_answered(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await give_sounds(pbx, tmp_path)
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.progressed()
    await call.ended()
    assert (call.status, call.is_answered) == (480, False)
    assert said(await call.heard()) == {"night"}
    assert pbx.pools.ip_channel.used == 0


@pytest.mark.ringfence(
    site=with_attendant('menu = { "1" = "100" }\ngreetings = [{ say = ["welcome"], early = true }]\n')
)
async def test_who_hangs_up_before_the_answer_gives_both_channels_back(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    """L-74, by CANCEL while the announcement is said."""
    await give_sounds(pbx, tmp_path)
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.progressed()
    await call.hang_up()
    await call.ended()
    assert (call.status, pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (487, 0, 0)


@pytest.mark.ringfence(site=with_attendant('menu = { "1" = "100" }\nlanguage = "caller"\n'))
@pytest.mark.parametrize(("caller", "language"), [("+4366412", "de"), ("+44201234", "en"), ("0731999", "en")])
async def test_the_servers_own_menu_is_said_in_the_caller_s_language(
    pbx: PbxUnderTest, caller: str, language: str
) -> None:
    call = await (await pbx.outside(caller)).dial(ATTENDANT)
    await asyncio.sleep(8)
    heard = encode((await call.heard()).samples, Codec.PCMA)
    menus = {one: prompt_payload(Prompt("menu", one), Codec.PCMA)[8000:12000] for one in ("de", "en")}
    assert {one for one, payload in menus.items() if payload in heard} == {language}
    await call.hang_up()


# -- targets ---------------------------------------------------------------------------------------------------

SUBMENU = with_attendant("""
menu = { "1" = "menu sales", "0" = "repeat", "9" = "hang up" }
submenus = [{ name = "sales", say = ["sales"], menu = { "1" = "101", "*" = "menu main" } }]
""")


@pytest.mark.ringfence(site=SUBMENU)
async def test_a_digit_leads_into_a_submenu_and_back_and_on_to_an_extension(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await give_sounds(pbx, tmp_path)
    caller, ben = await pbx.outside("+4989100"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    for digit, name in (("1", "sales"), ("*", ""), ("0", ""), ("1", "sales")):
        await call.send_digits(digit)
        await asyncio.sleep(1.5)
        assert said((await call.heard()).between(-0.8)) == {name}
    await call.send_digits("1")
    answered = await ben.answer()
    await call.play(Tone((440,), 1.0))
    assert (await answered.heard()).contains_tone(440)
    await call.hang_up()


@pytest.mark.ringfence(site=SUBMENU)
async def test_a_digit_can_end_the_call(pbx: PbxUnderTest) -> None:
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.send_digits("9")
    await call.ended()
    assert call.status == 200


@pytest.mark.ringfence(
    site=with_attendant('menu = { "5" = "90731123", "6" = "dial extension" }\n').replace(
        'numbers = "08955550"\n',
        'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n',
    )
)
async def test_an_outside_number_of_the_menu_is_called_for_a_caller_from_outside_but_none_that_he_dials(
    pbx: PbxUnderTest,
) -> None:
    caller, far = await pbx.outside("+4989100"), await pbx.outside("0731123", host="127.0.0.31", port=5070)
    call = await caller.dial(ATTENDANT)
    await call.send_digits("6")
    await asyncio.sleep(1)
    await call.send_digits("90731123#")
    await asyncio.sleep(5)
    assert not far.calls
    await call.send_digits("5")
    answered = await far.answer()
    assert answered.called == "0731123"
    await call.hang_up()
    await answered.ended()


DIALLING = with_attendant("""
menu = { "7" = "dial extension", "8" = "dial name" }
wrong_input = { tries = 2, then = "hang up" }
""")


@pytest.mark.ringfence(site=DIALLING)
async def test_an_extension_is_dialled_in_the_menu(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+4989100"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("7101#")
    await ben.answer()
    await call.hang_up()


@pytest.mark.ringfence(site=DIALLING)
@pytest.mark.parametrize("letters", ["57287", "23657287"], ids=["KRAUS", "BENKRAUS"])
async def test_a_name_is_spelt_by_the_letters_on_the_keys(pbx: PbxUnderTest, letters: str) -> None:
    caller, ben = await pbx.outside("+4989100"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits(f"8{letters}#")
    await ben.answer()
    await call.hang_up()


@pytest.mark.ringfence(site=DIALLING.replace("Dora Wolf", "Dora Krauß"))
async def test_of_two_whose_names_are_spelt_alike_one_is_chosen_by_a_digit(pbx: PbxUnderTest) -> None:
    caller, dora = await pbx.outside("+4989100"), await pbx.phone("103")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("85728#")
    await asyncio.sleep(1)
    await call.send_digits("2")
    await dora.answer()
    await call.hang_up()


@pytest.mark.ringfence(site=DIALLING)
async def test_two_wrong_inputs_in_a_row_are_the_limit(pbx: PbxUnderTest) -> None:
    """An extension that nobody has and a name that is nobody's, each told, then the end."""
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.send_digits("7999#")
    await asyncio.sleep(4)
    assert not call.is_over
    await call.send_digits("8999#")
    await call.ended()


# -- limits ----------------------------------------------------------------------------------------------------


@pytest.mark.ringfence(
    site=with_attendant('menu = { "1" = "100" }\nno_input = { tries = 2, then = "101" }\n')
)
async def test_who_presses_nothing_twice_is_connected_with_the_final_target(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await give_sounds(pbx, tmp_path)
    caller, ben = await pbx.outside("+4989100"), await pbx.phone("101")
    began = asyncio.get_running_loop().time()
    call = await caller.dial(ATTENDANT)
    await ben.answer()
    assert asyncio.get_running_loop().time() - began == pytest.approx(2 * (2 + 4), abs=0.5)
    await call.hang_up()


@pytest.mark.ringfence(
    site=with_attendant('menu = { "1" = "100" }\nno_input = { tries = 1, then = "101" }\n')
)
async def test_a_final_target_that_does_not_take_the_call_ends_it(pbx: PbxUnderTest) -> None:
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.ended(60)
    assert call.status == 200
    assert pbx.pools.ip_channel.used == 0


@pytest.mark.ringfence(
    site=with_attendant(
        'menu = { "1" = "101" }\nwrong_input = { tries = 2, then = "*102" }\npatience_s = 20\n'
    )
)
async def test_a_wrong_key_is_told_and_a_right_one_counts_anew(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+4989100"), await pbx.phone("101")
    ben.busy_with = 486
    call = await caller.dial(ATTENDANT)
    for digit, wait_s in (("5", 3), ("1", 5), ("6", 3)):
        await call.send_digits(digit)
        await asyncio.sleep(wait_s)
        assert pbx.pools.auto_attendant.used == 1
    await call.send_digits("7")
    await asyncio.sleep(4)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 0)  # in the box
    await call.hang_up()


@pytest.mark.ringfence(site=with_attendant('menu = { "1" = "100" }\npatience_s = 15\n'))
async def test_the_patience_of_an_attendant_is_a_setting(pbx: PbxUnderTest) -> None:
    began = asyncio.get_running_loop().time()
    call = await (await pbx.outside("+4989100")).dial(ATTENDANT)
    await call.ended(60)
    assert asyncio.get_running_loop().time() - began == pytest.approx(15, abs=1)


TWO = (
    with_attendant('menu = { "1" = "201" }\n')
    + """
[[auto_attendant]]
name = "lager"
extension = "201"
menu = { "1" = "200", "2" = "101" }
"""
)


@pytest.mark.ringfence(site=TWO.replace("auto_attendant = 1", "auto_attendant = 1", 1))
async def test_one_attendant_leads_to_another_which_takes_no_second_channel(pbx: PbxUnderTest) -> None:
    caller, ben = await pbx.outside("+4989100"), await pbx.phone("101")
    call = await caller.dial(ATTENDANT)
    await call.send_digits("1")
    await asyncio.sleep(1)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 1)
    await call.send_digits("2")
    await ben.answer()
    await call.hang_up()
    assert pbx.pools.auto_attendant.high_water == 1


async def digits_of_anna_s_box(pbx: PbxUnderTest, digits: dict[str, str]) -> None:
    rules = [{"then": "greeting", "digits": digits}]
    await pbx.server.administration.apply(SetSetting("anna", "voicemail", "rules", rules))


async def test_a_box_hands_its_caller_to_an_attendant_which_takes_the_channel_that_he_lacks(
    pbx: PbxUnderTest,
) -> None:
    """L-71: a leg of an attendant has an attendant channel, wherever it comes from."""
    await digits_of_anna_s_box(pbx, {"1": "200"})
    call = await (await pbx.outside("+4989100")).dial(f"{ROOT}*100")
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 0)
    await call.send_digits("1")
    await asyncio.sleep(1)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (1, 1)
    await call.hang_up()
    await asyncio.sleep(1)
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.used) == (0, 0)


@pytest.mark.ringfence(site=SMALL.replace("ip_channel = 4", "ip_channel = 25"))
async def test_a_box_whose_attendant_has_no_channel_left_keeps_its_caller(pbx: PbxUnderTest) -> None:
    await digits_of_anna_s_box(pbx, {"1": "200"})
    caller = await pbx.outside("+4989100")
    calls = [await caller.dial(ATTENDANT) for _ in range(20)]
    call = await caller.dial(f"{ROOT}*100")
    await call.send_digits("1")
    await asyncio.sleep(1)
    assert not call.is_over
    assert (pbx.pools.ip_channel.used, pbx.pools.auto_attendant.denied) == (21, 1)
    for one in (*calls, call):
        await one.hang_up()
