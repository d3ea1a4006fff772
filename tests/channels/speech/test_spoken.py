"""Numbers, digits, dates and lengths as lists of blocks, in the order of each language."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.plane import Clip, Playable, Prompt, Silence, Tone
from ringfence.channels.media.prompts import LANGUAGES, prompt_path, require_prompts
from ringfence.channels.speech.spoken import (
    Digits,
    Duration,
    Messages,
    Moment,
    Number,
    Spoken,
    in_words,
)

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
SCRIPTS = {
    language: tomllib.loads(
        prompt_path(Prompt("0")).parent.parent.joinpath(f"{language}.toml").read_text(encoding="utf-8")
    )
    for language in LANGUAGES
}


def text(language: str, *said: Playable | Spoken, now: datetime = NOW) -> str:
    """What a listener hears, by the script of the blocks, each of which must be there."""
    prompts = in_words(said, language, now)
    require_prompts(prompts)
    assert all(isinstance(one, Prompt) and one.language == language for one in prompts)
    return " ".join(SCRIPTS[language][one.name] for one in prompts if isinstance(one, Prompt))


@pytest.mark.parametrize(
    ("value", "german", "english"),
    [
        (0, "null", "zero"),
        (1, "eins", "one"),
        (21, "einundzwanzig", "twenty-one"),
        (100, "ein hundert", "one hundred"),
        (101, "ein hundert eins", "one hundred and one"),
        (321, "drei hundert einundzwanzig", "three hundred and twenty-one"),
        (1000, "ein tausend", "one thousand"),
        (1001, "ein tausend eins", "one thousand and one"),
        (1100, "ein tausend ein hundert", "one thousand one hundred"),
        (21_000, "einundzwanzig tausend", "twenty-one thousand"),
        (101_000, "ein hundert ein tausend", "one hundred and one thousand"),
        (
            999_999,
            "neun hundert neunundneunzig tausend neun hundert neunundneunzig",
            "nine hundred and ninety-nine thousand nine hundred and ninety-nine",
        ),
        (1_000_000, "eins null null null null null null", "one zero zero zero zero zero zero"),
        (-7, "minus sieben", "minus seven"),
    ],
)
def test_a_number(value: int, german: str, english: str) -> None:
    assert text("de", Number(value)) == german
    assert text("en", Number(value)) == english


@given(st.integers(), st.sampled_from(LANGUAGES))
def test_every_number_has_its_blocks(value: int, language: str) -> None:
    require_prompts(in_words([Number(value)], language, NOW))


def test_digits_one_by_one() -> None:
    assert text("de", Digits("+49 (731) 20*#")) == "plus vier neun sieben drei eins zwei null Stern Raute"
    assert text("en", Digits("anonymous 112")) == "one one two"
    assert text("en", Digits("٣²")) == ""


@pytest.mark.parametrize(
    ("at", "german", "english"),
    [
        (
            datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
            "am Montag dem dreiundzwanzigsten November um vierzehn Uhr fünf",
            "on Monday November the twenty-third at two oh five p m",
        ),
        (
            datetime(2026, 11, 24, 14, 5, tzinfo=UTC),
            "gestern um vierzehn Uhr fünf",
            "yesterday at two oh five p m",
        ),
        (datetime(2026, 11, 25, 1, 0, tzinfo=UTC), "heute um ein Uhr", "today at one a m"),
        (
            datetime(2026, 11, 25, 0, 21, tzinfo=UTC),
            "heute um null Uhr einundzwanzig",
            "today at twelve twenty-one a m",
        ),
        (datetime(2026, 11, 25, 12, 1, tzinfo=UTC), "heute um zwölf Uhr eins", "today at twelve oh one p m"),
        (
            datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
            "am Donnerstag dem sechsundzwanzigsten November um neun Uhr dreißig",
            "on Thursday November the twenty-sixth at nine thirty a m",
        ),
        (
            datetime(1999, 3, 1, 21, 0, tzinfo=UTC),
            "am Montag dem ersten März neunzehn hundert neunundneunzig um einundzwanzig Uhr",
            "on Monday March the first nineteen ninety-nine at nine p m",
        ),
        (
            datetime(2005, 7, 31, 8, 15, tzinfo=UTC),
            "am Sonntag dem einunddreißigsten Juli zwei tausend fünf um acht Uhr fünfzehn",
            "on Sunday July the thirty-first two thousand and five at eight fifteen a m",
        ),
    ],
)
def test_a_moment_as_seen_from_the_twenty_fifth_of_november_2026(
    at: datetime, german: str, english: str
) -> None:
    assert text("de", Moment(at)) == german
    assert text("en", Moment(at)) == english


def test_the_date_of_another_year_has_its_year() -> None:
    at, now = datetime(2026, 11, 24, 14, 5, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    assert (
        text("de", Moment(at), now=now)
        == "am Dienstag dem vierundzwanzigsten November zwei tausend sechsundzwanzig um vierzehn Uhr fünf"
    )
    assert (
        text("en", Moment(at), now=now)
        == "on Tuesday November the twenty-fourth twenty twenty-six at two oh five p m"
    )


def test_today_is_the_listener_s_day() -> None:
    at = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert text("en", Moment(at)).startswith("yesterday at eleven thirty")
    east = NOW.astimezone(timezone(timedelta(hours=1)))
    assert text("en", Moment(at), now=east) == "today at twelve thirty a m"


@given(
    st.integers(-70 * 365, 200 * 365).map(lambda days: NOW + timedelta(days=days, minutes=days)),
    st.sampled_from(LANGUAGES),
)
def test_every_moment_has_its_blocks(at: datetime, language: str) -> None:
    require_prompts(in_words([Moment(at)], language, NOW))


@pytest.mark.parametrize(
    ("seconds", "german", "english"),
    [
        (0.4, "null Sekunden", "zero seconds"),
        (1, "eine Sekunde", "one second"),
        (59.6, "eine Minute", "one minute"),
        (65, "eine Minute und fünf Sekunden", "one minute and five seconds"),
        (3721, "eine Stunde zwei Minuten und eine Sekunde", "one hour two minutes and one second"),
        (7200, "zwei Stunden", "two hours"),
    ],
)
def test_a_length_of_time(seconds: float, german: str, english: str) -> None:
    assert text("de", Duration(seconds)) == german
    assert text("en", Duration(seconds)) == english


@pytest.mark.parametrize(
    ("said", "german", "english"),
    [
        (Messages(0), "Sie haben keine Nachrichten.", "You have no messages."),
        (Messages(1), "Sie haben eine Nachricht", "You have one message"),
        (Messages(1, "new"), "Sie haben eine neue Nachricht", "You have one new message"),
        (
            Messages(21, "new"),
            "Sie haben einundzwanzig neue Nachrichten",
            "You have twenty-one new messages",
        ),
    ],
)
def test_how_many_messages(said: Messages, german: str, english: str) -> None:
    assert text("de", said) == german
    assert text("en", said) == english


def test_a_prompt_keeps_its_own_language_and_what_is_no_speech_stays() -> None:
    rest = (Tone((440,)), Clip(Path("a.wav")), Silence(1), Prompt("menu", "en"))
    assert in_words([*rest, Prompt("menu")], "de", NOW) == (*rest, Prompt("menu", "de"))
