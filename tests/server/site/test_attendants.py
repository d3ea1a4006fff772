"""What can be wrong with an attendant in a site file: each one clear sentence with its line."""

from __future__ import annotations

import re

import pytest

from ringfence.features.attendant.settings import Dial, HangUp, Limit, Repeat, ToMenu, ToNumber
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.directory import Directory
from ringfence.server.site.site import Site, SiteError

SMALL = read_site("small").text
SIMPLE = 'menu = { "1" = "100", "2" = "101", "3" = "*102" }\n'

WHOLE = """
menu = { "1" = "100", "2" = "menu sales", "3" = "*102", "0" = "repeat", "*" = "dial name", "#" = "dial extension" }
transfer = "hairpin"
say = ["welcome", "for_sales", "2"]
pause_s = 3
patience_s = 45
language = "caller"
overflow = "101"
no_input = { tries = 3, then = "100" }
wrong_input = { tries = 2 }
greetings = [{ when = { hours = "closed" }, say = ["office_closed"], early = true, then = "hang up" }, {}]

[[auto_attendant.submenus]]
name = "sales"
menu = { "1" = "101", "9" = "menu main" }
no_input = { tries = 1, then = "menu main" }

[[calendar]]
name = "office"
hours = { "mon-fri" = ["08:00-17:00"] }
"""


def with_attendant(text: str) -> str:
    assert SIMPLE in SMALL
    return SMALL.replace(SIMPLE, text)


def test_every_key_of_an_attendant_is_read() -> None:
    site = Site.parse(with_attendant(WHOLE))
    desk = Directory(site).attendant("200")
    assert desk is not None
    main, sales = desk.menus["main"], desk.menus["sales"]
    assert main.targets == {
        "1": ToNumber("100"),
        "2": ToMenu("sales"),
        "3": ToNumber("*102"),
        "0": Repeat(),
        "*": Dial("name"),
        "#": Dial("extension"),
    }
    assert (main.say, main.pause_s) == (("welcome", "for_sales", "2"), 3)
    assert (main.no_input, main.wrong_input) == (Limit(3, ToNumber("100")), Limit(2, HangUp()))
    assert sales.targets == {"1": ToNumber("101"), "9": ToMenu("main")}
    assert (desk.patience_s, desk.hairpin, desk.language) == (45, True, "caller")
    closed, always = desk.greetings
    assert (closed.say, closed.early, closed.then) == (("office_closed",), True, HangUp())
    assert (closed.when.hours, always.say, always.then) == ("closed", (), ToMenu("main"))
    assert site.attendants[0].overflow == "101"


def test_the_simple_form_stays_what_it_was() -> None:
    desk = Directory(Site.parse(SMALL)).attendant("200")
    assert desk is not None
    assert list(desk.menus) == ["main"]
    assert desk.menus["main"].targets == {"1": ToNumber("100"), "2": ToNumber("101"), "3": ToNumber("*102")}
    assert (desk.greetings, desk.patience_s, desk.menus["main"].pause_s) == ((), 60, 4)


SECOND = '\n[[auto_attendant]]\nname = "lager"\nextension = "201"\n'
CIRCLE = """
menu = { "1" = "menu a", "2" = "100" }
submenus = [{ name = "a", menu = { "1" = "menu b" } }, { name = "b", menu = { "1" = "menu a" } }]
"""
ROUND_AND_ROUND = f"""
menu = {{ "1" = "100" }}
greetings = [{{ then = "201" }}]
{SECOND}menu = {{ "1" = "100" }}
greetings = [{{ then = "200" }}]
"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'menu = { "1" = "menu sales" }\n',
            'the menu "sales" is not there (in the attendant "zentrale"); use one of main',
        ),
        (
            'menu = { "1" = "call anna" }\n',
            '"call anna" leads nowhere (in the attendant "zentrale"); write a number, ',
        ),
        (
            'menu = { "1" = "*999" }\n',
            'the target "*999" of the key 1 of the attendant "zentrale" is nobody\'s mailbox',
        ),
        (
            'menu = { "A" = "100" }\n',
            'the menu has a key "A" that no telephone has (in the attendant "zentrale"); use one',
        ),
        (
            'menu = { "1" = "menu main", "2" = "repeat" }\n',
            'the menu "main" of the attendant "zentrale" leads round in a circle that nobody gets out of; let',
        ),
        (
            CIRCLE,
            'the menu "a" of the attendant "zentrale" leads round in a circle',
        ),
        ('menu = { "1" = "200" }\n', 'the menu "main" of the attendant "zentrale" leads round in a circle'),
        (
            f'menu = {{ "1" = "201" }}\n{SECOND}menu = {{ "1" = "200" }}\n',
            'the menu "main" of the attendant "zentrale" leads round in a circle',
        ),
        (
            'menu = { "1" = "100" }\nno_input = { tries = 1, then = "200" }\n',
            'the attendant "zentrale" comes back to itself though nobody presses anything; let the',
        ),
        (
            'menu = { "1" = "100" }\nno_input = { tries = 1, then = "repeat" }\n',
            'the attendant "zentrale" comes back to itself though nobody presses anything',
        ),
        (
            ROUND_AND_ROUND,
            'the attendant "zentrale" comes back to itself though nobody presses anything',
        ),
        (
            'greetings = [{ when = { moon = "full" } }]\n',
            'the condition "moon" is not known (in the attendant "zentrale"); known conditions are calendar, hours',
        ),
        (
            'greetings = [{ when = { hours = "closed" } }]\n',
            'the condition asks for business hours, and there are none (in the attendant "zentrale"); add',
        ),
        ('greetings = [{ then = "menu x" }]\n', 'the menu "x" is not there'),
        (
            'greetings = [{ say = ["../../etc/passwd"] }]\n',
            '"../../etc/passwd" is no name of a sound (in the attendant',
        ),
        (
            'greetings = [{ says = ["x"] }]\n',
            'the key "says" is not known in [[auto_attendant.greetings]]; did you mean',
        ),
        (
            "no_input = { tries = 0 }\n",
            '0 tries in no_input of the attendant "zentrale" are out of range; write 1 to 99',
        ),
        (
            "no_input = { times = 2 }\n",
            'the key "times" is not known in [auto_attendant.no_input]; did you mean "tries"?',
        ),
        (
            'greetings = [{ when = { presence = "away" } }]\n',
            'the condition asks for a presence, and an attendant has none (in the attendant "zentrale"); leave',
        ),
        ("pause_s = 0\n", 'pause_s = 0 of the attendant "zentrale" is out of range; write up to 60 seconds'),
        (
            "patience_s = 9999\n",
            'patience_s = 9999 of the attendant "zentrale" is out of range; write up to 600',
        ),
        (
            'submenus = [{ name = "main" }]\n',
            'the attendant "zentrale" has more than one menu "main", or one without',
        ),
        (
            'overflow = "drop"\n',
            'the target "drop" of the overflow of the attendant "zentrale" is no number; use digits',
        ),
        ('language = "fr"\n', "the key \"language\" has the unknown value 'fr'; use 'site' or 'caller'"),
    ],
)
def test_what_leads_nowhere_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(SiteError, match=re.escape(sentence)) as error:
        Site.parse(with_attendant(text), "firma.toml")
    assert error.value.line is not None
    line = error.value.line
    assert SMALL.splitlines().index("[[auto_attendant]]") < line <= len(with_attendant(text).splitlines())
