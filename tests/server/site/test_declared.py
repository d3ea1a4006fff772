from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.features.declaration import Declaration, SettingError
from ringfence.features.voicemail.settings import OWN_GREETING
from ringfence.licensing.catalogue import FUNCTIONS
from ringfence.server.site import declared
from ringfence.server.site.checks import problems
from ringfence.server.site.site import Setting, Site, SiteError


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Declaration[tuple[str, ...]]:
    """A setting of voicemail that leads to numbers."""
    made: Declaration[tuple[str, ...]] = Declaration(
        "voicemail", "team", tuple[str, ...], 'a list such as ["100"]', numbers=lambda value: value
    )
    monkeypatch.setitem(declared.DECLARATIONS, ("voicemail", "team"), made)
    return made


def test_each_declaration_is_of_a_function_that_there_is_and_says_what_to_write() -> None:
    for one in declared.DECLARATIONS.values():
        declared.require_function(one.function)
        assert one.wanted


def test_what_is_misspelt_is_told_with_what_was_meant() -> None:
    with pytest.raises(SettingError, match='the function "voicemial" is not known; did you mean "voicemail"'):
        declared.declaration("voicemial", "greeting")
    with pytest.raises(SettingError, match='"greting" of voicemail is not known; did you mean "greeting"'):
        declared.declaration("voicemail", "greting")
    bare = next(one for one in FUNCTIONS if all(key[0] != one for key in declared.DECLARATIONS))
    with pytest.raises(SettingError, match=f'"x" of {bare} is not known; there is none'):
        declared.declaration(bare, "x")


def test_what_a_user_has_chosen_comes_typed(site: Site) -> None:
    user = replace(site.users[0], settings=(Setting("voicemail", "greeting", {"file": "7.wav"}),))
    assert declared.chosen(user, OWN_GREETING) == {"file": "7.wav"}
    assert declared.chosen(site.users[1], OWN_GREETING) is None


def test_a_site_file_has_settings_in_a_table_for_each_function(
    text: str, team: Declaration[tuple[str, ...]]
) -> None:
    clara = Site.parse(text.replace("[[team]]", '[user.settings.voicemail]\nteam = ["100"]\n[[team]]')).users[
        2
    ]
    assert clara.settings == (Setting("voicemail", "team", ["100"]),)
    assert declared.chosen(clara, team) == ("100",)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("settings = 1", 'line 43: "settings" is not the table that it should be; write [user.settings.FU'),
        (
            "settings.voicemail = 1",
            'line 43: "voicemail" is not the table that it should be; write [user.set',
        ),
        ("[user.settings.fox]\nx = 1", 'line 44: the function "fox" is not known, for "clara"; did you mean'),
        (
            "[user.settings.telephone]\nx = 1",
            'line 44: the setting "x" of telephone is not known, for "clara"',
        ),
        ("[user.settings.voicemail]\nteam = 7", 'line 44: the setting "team" of voicemail does not fit: '),
        ("[user.settings.voicemail]\nteam = [7]", "does not fit at 0: input should be a valid string, for"),
        (
            '[user.settings.voicemail]\nteam = ["*9"]',
            'line 44: the target "*9" of the team of "clara" is nob',
        ),
        (
            '[user.settings.voicemail]\nteam = ["x"]',
            'the target "x" of the team of "clara" is no number; use',
        ),
        (
            '[user.settings.voicemail]\nvoicemail_pin = "82"',
            'line 44: the setting "voicemail_pin" is a key of',
        ),
        (
            "[user.settings.voicemail]\ngreeting = {}",
            '"greeting" of voicemail can stand in no file; set it by',
        ),
    ],
)
def test_a_wrong_setting_in_a_site_file_is_told_with_its_line(
    text: str, team: Declaration[tuple[str, ...]], lines: str, message: str
) -> None:
    assert team.key == "team"
    with pytest.raises(SiteError) as caught:
        Site.parse(text.replace("[[team]]", f"{lines}\n[[team]]"), "firma.toml")
    assert message in str(caught.value)


def test_a_greeting_is_no_fault_of_a_site_that_is_held(site: Site) -> None:
    user = replace(site.users[0], settings=(Setting("voicemail", "greeting", {"file": "7.wav"}),))
    assert list(problems(replace(site, users=(user, *site.users[1:])))) == []
