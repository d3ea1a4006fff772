"""Rules and members of boxes as a site file has them, and as a change meets them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.features.voicemail.settings import RULES, SHARED_WITH
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import CreateUser, DeleteUser, SetSetting
from ringfence.server.site.administration import Administration
from ringfence.server.site.declared import chosen
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.require import AdministrationError
from ringfence.server.site.site import Site, SiteError

if TYPE_CHECKING:
    from ringfence.server.site.site import User

SMALL = read_site("small").text
PLACE = '\n[[user]]\nname = "ben"'
CALENDAR = '\n[[calendar]]\nname = "office"\nhours = { "mon-fri" = ["08:00-17:00"] }\n'


def with_settings(lines: str, calendar: str = "") -> str:
    """The small site with these settings of Anna's voicemail."""
    return SMALL.replace(PLACE, f"\n[user.settings.voicemail]\n{lines}\n{PLACE}", 1) + calendar


def anna(site: Site) -> User:
    return next(user for user in site.users if user.name == "anna")


def test_a_site_file_has_the_rules_and_the_members_of_a_box() -> None:
    lines = """\
shared_with = ["ben"]
language = "caller"
rules = [
  { if = { hours = "closed" }, then = "announce", greeting = "closed" },
  { if = { from = "internal" }, then = "menu", digits = { "1" = "101", "0" = "200" } },
]"""
    user = anna(Site.parse(with_settings(lines, CALENDAR)))
    rules = chosen(user, RULES) or ()
    assert [rule.action for rule in rules] == ["announce", "menu"]
    assert chosen(user, SHARED_WITH) == ("ben",)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'rules = [{ if = { moon = "full" } }]',
            'in rule 1 the condition "moon" is not known, for "anna"; known conditions are calendar, hours,',
        ),
        (
            'rules = [{ if = { hours = "open" } }]',
            'the condition asks for business hours, and there are none, in rule 1 of the box of "anna"; add',
        ),
        (
            'rules = [{ if = { calendar = "x" } }]',
            'the calendar "x" is not there, in rule 1 of the box of "anna"; add a [[calendar]]',
        ),
        (
            'rules = [{}, { then = "transfer", to = "*100" }]',
            'the transfer in rule 2 of the box of "anna" leads back to it; name another number',
        ),
        (
            'rules = [{ then = "transfer", to = "100" }]',
            'the transfer in rule 1 of the box of "anna" leads back to it',
        ),
        (
            'rules = [{ then = "transfer", to = "*777" }]',
            'the target "*777" of the rules of "anna" is nobody',
        ),
        ('rules = [{ digits = { "1" = "x" } }]', 'the target "x" of the rules of "anna" is no number'),
        ('shared_with = ["bne"]', '"bne" in the shared_with of "anna" is no user; did you mean "ben"?'),
        ('shared_with = "ben"', 'the setting "shared_with" of voicemail does not fit: '),
        ('shared_with = ["../../etc"]', '"../../etc" in the shared_with of "anna" is no user; add the user'),
        ('language = "fr"', 'the setting "language" of voicemail does not fit: '),
        ("greetings = {}", 'the setting "greetings" of voicemail can stand in no file; set it by PUT users/'),
    ],
)
def test_what_a_box_cannot_have_is_one_sentence_with_the_line(line: str, sentence: str) -> None:
    text = with_settings(line)
    with pytest.raises(SiteError) as told:
        Site.parse(text, "firma.toml")
    assert told.value.line == text.splitlines().index(line) + 1
    assert sentence in str(told.value)


def test_a_mailbox_named_like_a_path_is_one_sentence() -> None:
    with pytest.raises(
        SiteError, match=r"the user name '\.\./\.\./etc' cannot be part of a SIP address; use"
    ):
        Site.parse(SMALL.replace('name = "ben"', 'name = "../../etc"'))


@pytest.fixture
def administration() -> Administration:
    return Administration(
        Holdings.of(Site.parse(SMALL)), None, lambda _: None, random=Random(1), clock=lambda: 1_800_000_000.0
    )


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "rules",
            [{"if": {"moon": "full"}}],
            'in rule 1 the condition "moon" is not known; known conditions',
        ),
        ("rules", [{"if": {"holiday": True}}], "the condition asks for holidays, and there are none"),
        ("rules", [{"then": "transfer", "to": "*100"}], "leads back to it; name another number"),
        ("shared_with", ["nobody"], '"nobody" in the shared_with of "anna" is no user'),
    ],
)
async def test_a_change_that_cannot_be_is_refused_and_leaves_what_there_was(
    administration: Administration, key: str, value: Any, sentence: str
) -> None:
    await administration.apply(SetSetting("anna", "voicemail", "rules", [{"then": "record"}]))
    before = anna(administration.directory.site).settings
    with pytest.raises(AdministrationError) as told:
        await administration.apply(SetSetting("anna", "voicemail", key, value))
    assert sentence in str(told.value)
    assert anna(administration.directory.site).settings == before


async def test_a_user_who_is_deleted_shares_no_box_and_neither_does_the_next_of_his_name(
    administration: Administration,
) -> None:
    await administration.apply(SetSetting("anna", "voicemail", "shared_with", ["ben", "clara"]))
    await administration.apply(DeleteUser("ben"))
    assert chosen(anna(administration.directory.site), SHARED_WITH) == ("clara",)
    await administration.apply(CreateUser("ben", "Haus", "101", "Ben-neu-1010"))
    await administration.apply(DeleteUser("clara"))
    assert chosen(anna(administration.directory.site), SHARED_WITH) is None


@pytest.mark.parametrize("name", ["../../etc", "..", "a/b", "a b"])
async def test_a_user_and_so_a_mailbox_named_like_a_path_is_not_made(
    administration: Administration, name: str
) -> None:
    with pytest.raises(AdministrationError, match="cannot be part of a SIP address; use letters, digits and"):
        await administration.apply(CreateUser(name, "Haus", "177", "Pfad-1770-Pflaume"))
    assert administration.directory.by_name(name) is None
