"""The rules of a voicemail box on the wire: which greeting a caller hears, and what becomes of him."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.switch.sip_peer import SipPeer
from tests.server.switch.test_presence import CLOSED, MEETING, publish
from tests.tone_file import write_tone

from ringfence.channels.media.g711 import SILENCE, encode
from ringfence.channels.media.plane import Codec, Prompt, Tone
from ringfence.channels.media.prompts import prompt_payload
from ringfence.features.conditions.fault import ConditionError
from ringfence.features.voicemail.rules import ACTIONS, AS_EVER, MOST_RULES, read_rules
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import DeleteUser, SetSetting
from ringfence.server.switch.events import MessageLeft

from .test_voicemail import GREETING_AND_BEEP_S, ROOT, leave

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.channels.media.audio import Audio
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

timed = pytest.mark.virtual_time
SMALL = read_site("small").text
OWN_HZ, CLOSED_HZ = 700, 900
GREETING_S = 3.0
CALENDAR = (
    SMALL
    + """
[[calendar]]
name = "office"
time_zone = "UTC"
hours = { "mon-fri" = ["08:00-17:00"] }
"""
)


async def put(pbx: PbxUnderTest, key: str, value: object, user: str = "anna") -> None:
    await pbx.server.administration.apply(SetSetting(user, "voicemail", key, value))


async def greet(pbx: PbxUnderTest, folder: Path) -> None:
    """Give Anna's box a greeting of its own, a tone of 700 Hz, and another one that is called `closed`, of 900 Hz."""
    sounds = []
    for name, frequency_hz in (("own", OWN_HZ), ("closed", CLOSED_HZ)):
        write_tone(folder / f"{name}.wav", frequency_hz, int(GREETING_S))
        sounds.append(await pbx.server.store.sounds.keep(folder / f"{name}.wav", GREETING_S))
    await put(pbx, "greeting", asdict(sounds[0]))
    await put(pbx, "greetings", {"closed": asdict(sounds[1])})


async def greeted(call: PhoneCall) -> Audio:
    """Return what a caller hears until the tone."""
    await call.answered()
    await asyncio.sleep(GREETING_S + 0.3)
    return await call.heard()


async def greeting_heard(call: PhoneCall) -> int:
    """Say which of Anna's two greetings a caller hears, and hang up."""
    heard = (await greeted(call)).between(0.2, 2.8)
    await call.hang_up()
    (found,) = [one for one in (OWN_HZ, CLOSED_HZ) if heard.contains_tone(one, 0.95)]
    return found


async def until(pbx: PbxUnderTest, weekday: int, hour: int) -> None:
    """Let time pass until the next such day (Monday is 0) and hour (UTC)."""
    now = pbx.server.clock.today()
    then = now.replace(hour=hour, minute=0, second=0) + timedelta(days=(weekday - now.weekday()) % 7)
    await asyncio.sleep(((then - now).total_seconds()) % (7 * 86400))


@timed
@pytest.mark.ringfence(site=CALENDAR)
async def test_a_box_greets_by_business_hours(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"if": {"hours": "closed"}, "greeting": "closed"}])
    caller = await pbx.outside("+49731999")
    await until(pbx, weekday=2, hour=10)
    assert await greeting_heard(await caller.dial(f"{ROOT}*100")) == OWN_HZ
    await until(pbx, weekday=2, hour=18)
    assert await greeting_heard(await caller.dial(f"{ROOT}*100")) == CLOSED_HZ
    await until(pbx, weekday=5, hour=10)
    assert await greeting_heard(await caller.dial(f"{ROOT}*100")) == CLOSED_HZ


@timed
async def test_a_box_greets_by_caller_and_by_where_he_calls_from(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    rules = [
        {"if": {"caller": "+43*"}, "greeting": "closed"},
        {"if": {"from": "internal"}, "then": "greeting", "greeting": "closed"},
    ]
    await put(pbx, "rules", rules)
    wien, ulm, ben = await pbx.outside("+431999"), await pbx.outside("+49731999"), await pbx.phone("101")
    assert await greeting_heard(await wien.dial(f"{ROOT}*100")) == CLOSED_HZ
    assert await greeting_heard(await ulm.dial(f"{ROOT}*100")) == OWN_HZ
    assert await greeting_heard(await ben.dial("*100")) == CLOSED_HZ


@timed
async def test_a_box_greets_by_the_number_that_was_dialled(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"if": {"called": "100"}, "greeting": "closed"}])
    ben = await pbx.phone("101")
    assert await greeting_heard(await ben.dial("100")) == CLOSED_HZ
    assert await greeting_heard(await ben.dial("*100")) == OWN_HZ


@timed
async def test_a_box_greets_by_what_its_owner_is(pbx: PbxUnderTest, tmp_path: Path) -> None:
    """RFC 4480 activities that her telephone publishes, no telephone, do not disturb, and a call."""
    await greet(pbx, tmp_path)
    caller = await pbx.outside("+49731999")

    async def heard_where(presence: str) -> int:
        await put(pbx, "rules", [{"if": {"presence": presence}, "greeting": "closed"}])
        return await greeting_heard(await caller.dial(f"{ROOT}*100"))

    assert await heard_where("offline") == CLOSED_HZ
    assert await heard_where("available") == OWN_HZ
    async with SipPeer(pbx, "100") as anna:
        assert (await publish(anna, MEETING)).status == 200
        assert await heard_where("meeting") == CLOSED_HZ
        assert await heard_where("away") == OWN_HZ
        assert (await publish(anna, CLOSED)).status == 200
        assert await heard_where("offline") == CLOSED_HZ
    await pbx.server.administration.apply(SetSetting("anna", "telephone", "do_not_disturb", value=True))
    assert await heard_where("busy") == CLOSED_HZ
    desk, ben = await pbx.phone("101"), await pbx.phone("102")
    await put(pbx, "rules", [{"if": {"presence": "on-the-phone"}, "then": "hang_up"}], user="ben")
    call = await ben.dial("101")
    await desk.answer()
    refused = await caller.dial(f"{ROOT}*101")
    assert (refused.status, refused.reason) == (603, "call.rejected")
    await call.hang_up()
    await asyncio.sleep(1)
    assert (await caller.dial(f"{ROOT}*101")).status == 200


@timed
@pytest.mark.parametrize(
    ("language", "number", "spoken"),
    [
        ("caller", "+49731999", "de"),
        ("caller", "004366412345", "de"),
        ("caller", "+442071234", "en"),
        ("caller", "+33123456", "en"),
        ("caller", "0731999", "en"),
        ("de", "+442071234", "de"),
        (None, "+49731999", "en"),
    ],
)
async def test_a_box_speaks_the_language_of_its_callers_or_its_own(
    pbx: PbxUnderTest, language: str | None, number: str, spoken: str
) -> None:
    """By the country code; without one, and without a setting, it speaks the site's, which is English here."""
    await put(pbx, "language", language)
    call = await (await pbx.outside(number)).dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_AND_BEEP_S)
    heard = encode((await call.heard()).samples, Codec.PCMA)
    for one in ("de", "en"):
        greeting = prompt_payload(Prompt("greeting", one), Codec.PCMA).strip(SILENCE[Codec.PCMA])
        assert (greeting in heard) == (one == spoken)
    await call.hang_up()


@timed
async def test_a_recorded_greeting_is_chosen_by_the_language_of_the_caller(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"if": {"language": "de"}, "greeting": "closed"}])
    ulm, london = await pbx.outside("+49731999"), await pbx.outside("+442071234")
    assert await greeting_heard(await ulm.dial(f"{ROOT}*100")) == CLOSED_HZ
    assert await greeting_heard(await london.dial(f"{ROOT}*100")) == OWN_HZ


@timed
async def test_the_own_greeting_stands_in_for_one_that_is_not_there(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"greeting": "holiday"}])
    caller = await pbx.outside("+49731999")
    assert await greeting_heard(await caller.dial(f"{ROOT}*100")) == OWN_HZ


@timed
async def test_an_announcement_only_takes_no_message(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"then": "announce", "greeting": "closed"}])
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*100")
    await call.answered()
    await call.ended(GREETING_S + 2)
    assert (await call.heard()).between(0.2, 2.8).contains_tone(CLOSED_HZ, 0.95)
    assert await pbx.voicemails("anna") == ()
    assert pbx.pools.ip_channel.used == 0


@timed
async def test_a_box_can_record_without_a_greeting(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"then": "record"}])
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(0.5)
    assert (await call.heard()).between(0.05, 0.3).contains_tone(1000)
    await call.play(Tone((500,), 2.0))
    await call.hang_up()
    await pbx.wait_for(MessageLeft, user="anna")


@timed
async def test_the_first_rule_that_holds_counts(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    rules = [{"if": {"caller": "+43*"}, "then": "hang_up"}, {"greeting": "closed"}, {"then": "hang_up"}]
    await put(pbx, "rules", rules)
    caller = await pbx.outside("+49731999")
    assert await greeting_heard(await caller.dial(f"{ROOT}*100")) == CLOSED_HZ


@timed
async def test_who_is_to_be_hung_up_on_is_declined_before_an_answer(pbx: PbxUnderTest) -> None:
    await put(pbx, "rules", [{"if": {"caller": "anonymous"}, "then": "hang_up"}])
    refused = await (await pbx.outside("anonymous")).dial(f"{ROOT}*100")
    assert (refused.status, refused.reason) == (603, "call.rejected")
    assert pbx.pools.ip_channel.used == 0
    assert (await (await pbx.outside("+49731999")).dial(f"{ROOT}*100")).status == 200


@timed
async def test_a_digit_leads_away_while_the_greeting_plays_and_the_channel_is_given_up(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"then": "greeting", "digits": {"1": "101"}}])
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(1)
    await call.send_digits("1")
    ringing = await ben.ringing()
    assert pbx.pools.ip_channel.used == 1
    await ringing.answer()
    await asyncio.sleep(0.1)
    assert (pbx.pools.ip_channel.used, pbx.pools.ip_channel.high_water) == (0, 1)
    await call.play(Tone((440,), 1.0))
    assert (await ringing.heard()).contains_tone(440)
    await ringing.hang_up()
    await call.ended()
    assert await pbx.voicemails("anna") == ()


@timed
@pytest.mark.ringfence(site=SMALL.replace('direct_prefix = "*"', 'direct_prefix = "*"\ntransfer = "hairpin"'))
async def test_l72_a_hairpin_out_of_a_greeting_takes_a_second_channel(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"digits": {"1": "101"}}])
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await call.send_digits("1")
    await ben.answer()
    assert pbx.pools.ip_channel.used == 2
    await call.hang_up()


@timed
@pytest.mark.ringfence(
    site=SMALL.replace(
        'numbers = "08955550"\n',
        'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n',
    )
)
async def test_a_digit_leads_outside_whoever_presses_it_since_the_user_wants_it_so(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"digits": {"1": "90171555"}}])
    caller = await pbx.outside("+49731999")
    mobile = await pbx.outside("0171555", host="127.0.0.31", port=5070)
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await call.send_digits("1")
    answered = await mobile.answer()
    assert answered.called == "0171555"
    await call.hang_up()
    await answered.ended()


@timed
async def test_an_announcement_of_the_server_may_be_a_greeting(pbx: PbxUnderTest) -> None:
    await put(pbx, "rules", [{"then": "announce", "greeting": "office_closed"}])
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*100")
    await call.answered()
    await call.ended(10)
    heard = encode((await call.heard()).samples, Codec.PCMA)
    assert prompt_payload(Prompt("office_closed"), Codec.PCMA).strip(SILENCE[Codec.PCMA]) in heard


@timed
async def test_who_is_not_taken_where_the_digit_leads_can_leave_a_message(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"digits": {"1": "101"}}])
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*100")
    await call.answered()
    await call.send_digits("1")  # nobody is registered there
    await asyncio.sleep(6)
    await call.play(Tone((500,), 2.0))
    await call.hang_up()
    await pbx.wait_for(MessageLeft, user="anna")


@timed
async def test_another_digit_cuts_the_greeting_short(pbx: PbxUnderTest, tmp_path: Path) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"digits": {"1": "101"}}])
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(1)
    await call.send_digits("#")
    await asyncio.sleep(1)
    await call.play(Tone((500,), 2.0))
    await call.hang_up()
    (message,) = [await pbx.wait_for(MessageLeft, user="anna")]
    assert message.duration_s == pytest.approx(2.5, abs=0.6)


@timed
async def test_a_menu_is_said_again_until_a_digit_leads_somewhere_and_ends_after_three_times(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"then": "menu", "greeting": "closed", "digits": {"2": "101"}}])
    caller, ben = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial(f"{ROOT}*100")
    await call.answered()
    await asyncio.sleep(GREETING_S + 5)
    assert (await call.heard()).between(GREETING_S + 4.2).contains_tone(CLOSED_HZ, 0.9)
    await call.send_digits("7")
    await asyncio.sleep(4)
    await call.send_digits("2")
    await (await ben.answer()).hang_up()
    await call.ended()
    silent = await caller.dial(f"{ROOT}*100")
    await silent.answered()
    await silent.ended(3 * (GREETING_S + 4) + 3)
    assert await pbx.voicemails("anna") == ()


@timed
async def test_a_rule_transfers_and_who_is_not_taken_there_is_greeted_and_recorded(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"if": {"caller": "+49*"}, "then": "transfer", "to": "101"}])
    caller = await pbx.outside("+49731999")
    call = await caller.dial(f"{ROOT}*100")
    assert (await greeted(call)).contains_tone(OWN_HZ)
    await call.hang_up()
    ben = await pbx.phone("101")
    call = await caller.dial(f"{ROOT}*100")
    await (await ben.answer()).hang_up()
    await call.ended()


@timed
async def test_two_boxes_that_transfer_to_each_other_end_in_a_message(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await greet(pbx, tmp_path)
    await put(pbx, "rules", [{"then": "transfer", "to": "*101"}])
    await put(pbx, "rules", [{"then": "transfer", "to": "*100"}], user="ben")
    await leave(await (await pbx.outside("+49731999")).dial(f"{ROOT}*100"))
    await pbx.wait_for(MessageLeft)
    assert len([*await pbx.voicemails("anna"), *await pbx.voicemails("ben")]) == 1
    assert pbx.pools.ip_channel.high_water == 1


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "rules are a list of up to 50; write e.g."),
        ([{}] * (MOST_RULES + 1), "rules are a list of up to 50; write e.g."),
        ([{}, 7], "in rule 2 there is no table; write e.g."),
        ([{"when": {}}], 'in rule 1 the key "when" is not known; use if, then, greeting, digits, to'),
        (
            [{"if": {"moon": "full"}}],
            'in rule 1 the condition "moon" is not known; known conditions are calendar, hours,',
        ),
        ([{"then": "sing"}], "in rule 1 the action 'sing' is not known; use greeting, announce, record,"),
        ([{"then": ["record"]}], "in rule 1 the action ['record'] is not known"),
        ([{"then": "record", "greeting": "x"}], '"greeting" does not go with "record"; leave it out'),
        ([{"to": "101"}], '"to" does not go with "greeting"; leave it out'),
        ([{"then": "menu"}], '"menu" leads nowhere; add e.g. digits ='),
        ([{"then": "transfer"}], '"transfer" leads nowhere; add e.g. to = "101"'),
        ([{"then": "transfer", "to": 101}], '"to" is no text; write e.g. to = "101"'),
        ([{"digits": {"A": "101"}}], '"A" of the digits leads from no key to a number; write e.g.'),
        ([{"digits": {"1": 101}}], '"1" of the digits leads from no key to a number; write e.g.'),
        ([{"digits": "1"}], "of the digits leads from no key to a number; write e.g."),
    ],
)
def test_what_is_no_rule_is_told_in_one_sentence(value: Any, sentence: str) -> None:
    with pytest.raises(ConditionError) as error:
        read_rules(value)
    assert sentence in str(error.value)


def test_a_rule_without_a_word_greets_and_records() -> None:
    assert read_rules([{}]) == (AS_EVER,)
    assert read_rules([]) == ()


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from([*ACTIONS, "1", "101"])
        | st.fixed_dictionaries({"hours": st.sampled_from(["open", "closed", ""])}),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["if", "then", "greeting", "digits", "to", "1", "#", "x"]), inner, max_size=4
            )
        ),
    )
)
def test_any_value_is_a_list_of_rules_or_told_to_be_none(value: object) -> None:
    try:
        rules = read_rules(value)
    except ConditionError as error:
        told = bool(error.what and error.remedy)
    else:
        told = all(rule.action in ACTIONS for rule in rules)
    assert told


async def standing(pbx: PbxUnderTest, user: str) -> tuple[int, str | None, int, int]:
    """What a caller of a user's box is told, and how many rules and greetings it has."""
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*{EXTENSIONS[user]}")
    box = pbx.server.boxes.box_of(user)
    await call.hang_up()
    return call.status, call.reason, len(box.rules) if box else 0, len(box.greetings) if box else 0


EXTENSIONS = {"clara": "102", "dora": "103"}
ONE_CHANNEL = SMALL.replace("ip_channel = 4", "ip_channel = 1")


async def furnish(pbx: PbxUnderTest, folder: Path, user: str) -> None:
    write_tone(folder / "closed.wav", CLOSED_HZ, 1)
    sound = await pbx.server.store.sounds.keep(folder / "closed.wav", 1.0)
    await put(pbx, "greetings", {"closed": asdict(sound)}, user=user)
    await put(pbx, "rules", [{"greeting": "closed"}], user=user)


@timed
async def test_l46_l47_l48_an_under_licensed_box_keeps_its_rules_and_goes_by_them_when_it_gets_a_seat(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    """Three seats for four: Dora waits until Ben is gone."""
    await furnish(pbx, tmp_path, "dora")
    assert await standing(pbx, "dora") == (403, "license.voicemail.under_licensed", 1, 1)
    await pbx.server.administration.apply(DeleteUser("ben"))
    assert await standing(pbx, "dora") == (200, None, 1, 1)
    call = await (await pbx.outside("+49731999")).dial(f"{ROOT}*103")
    await call.answered()
    await asyncio.sleep(0.9)
    assert (await call.heard()).between(0.2, 0.9).contains_tone(CLOSED_HZ, 0.95)
    await call.hang_up()


@timed
@pytest.mark.ringfence(site=ONE_CHANNEL)
async def test_l30_a_box_that_is_blocked_by_too_few_channels_keeps_its_rules(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await furnish(pbx, tmp_path, "clara")
    assert await standing(pbx, "clara") == (403, "license.voicemail.blocked", 1, 1)


@timed
async def test_l06_l08_moved_away_a_box_loses_rules_and_greetings_for_good(
    pbx: PbxUnderTest, tmp_path: Path
) -> None:
    await furnish(pbx, tmp_path, "clara")
    assert await standing(pbx, "clara") == (200, None, 1, 1)
    await pbx.move("clara", "Haus", "Lager")
    assert await standing(pbx, "clara") == (404, "function.not_configured", 0, 0)
    assert list((pbx.server.store.folder / "sounds").glob("*.wav")) == []
    await pbx.move("clara", "Haus", None)
    assert await standing(pbx, "clara") == (200, None, 0, 0)
