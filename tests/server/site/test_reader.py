from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.features.telephone.settings import Forward
from ringfence.server.site.attendants import Attendant
from ringfence.server.site.calendars import CalendarSettings
from ringfence.server.site.site import (
    Csta,
    DataSource,
    Fax,
    Group,
    LicensingSettings,
    Location,
    Numbers,
    Security,
    Server,
    Site,
    SiteError,
    Team,
    TestNumbers,
    Trunk,
    User,
    VoicemailSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

WHOLE_CONTRACT = """
[server]
name = "Musterfirma"
domain = "musterfirma.example"
languages = { "+4122" = "fr" }
[[calendar]]
name = "office"
time_zone = "Europe/Berlin"
hours = { "mon-fri" = ["08:00-12:00", "13:00-17:00"], "12-24" = [] }
holidays = ["12-25", "2026-04-03"]
[entitlements]
server = 1
office = 10
[licensing]
mode = "enforce"
reservations = {}
trusted_keys = []
aa_limit_unit = "channels"
mobile_fax_requires_plus = false
tapi = "first_use"
[[location]]
name = "München"
functions = ["cti", "voicemail"]
contingent = {}
[[location.group]]
name = "Vertrieb"
functions = ["cti", "softphone"]
[[location.group]]
name = "Empfang"
[[user]]
name = "anna"
display_name = "Anna Huber"
location = "München"
group = "Vertrieb"
extension = "100"
password = "geheim"
fax_number = "1100"
email = "anna@musterfirma.example"
voicemail_pin = "8264"
forward = { busy = "*100", no_answer = "*100", not_registered = "*100", after_s = 20 }
[[team]]
name = "hotline"
members = ["anna"]
leaders = []
analytics = true
[[trunk]]
name = "amt"
peers = ["127.0.0.30", "127.0.0.1:5070"]
numbers = "08955550"
uri = "sip:127.0.0.30:5070"
outbound_prefix = "0"
emergency = false
username = "amt"
password = "wort"
[[auto_attendant]]
name = "zentrale"
extension = "200"
menu = { "1" = "100", "2" = "*100" }
transfer = "hairpin"
[[data_source]]
name = "crm"
[voicemail]
extension = "199"
direct_prefix = "*"
pin_from_own_phone = true
[numbers]
emergency = ["110", "112"]
[csta]
licensed = true
[fax]
engine = "tone"
[test_numbers]
enabled = false
prefix = "98"
[security]
trusted_sources = ["127.0.0.1"]
websocket_origins = ["https://app.firma.example", "http://[::1]:3000"]
"""


def test_every_key_of_the_contract_is_read() -> None:
    site = Site.parse(WHOLE_CONTRACT, "site.toml")
    assert site == Site(
        server=Server("Musterfirma", "musterfirma.example", languages={"+4122": "fr"}),
        entitlements={"server": 1, "office": 10},
        licensing=LicensingSettings(),
        locations=(
            Location(
                "München",
                frozenset({"cti", "voicemail"}),
                groups=(Group("Vertrieb", frozenset({"cti", "softphone"})), Group("Empfang")),
            ),
        ),
        users=(
            User(
                "anna",
                1,
                "München",
                "100",
                "geheim",
                "Anna Huber",
                "Vertrieb",
                "1100",
                "anna@musterfirma.example",
                "8264",
                Forward("*100", "*100", "*100", 20.0),
            ),
        ),
        teams=(Team("hotline", ("anna",), analytics=True),),
        trunks=(
            Trunk(
                "amt",
                ("127.0.0.30", "127.0.0.1:5070"),
                "08955550",
                "sip:127.0.0.30:5070",
                "0",
                username="amt",
                password="wort",
            ),
        ),
        calendars=(
            CalendarSettings(
                "office",
                "Europe/Berlin",
                {"mon-fri": ("08:00-12:00", "13:00-17:00"), "12-24": ()},
                ("12-25", "2026-04-03"),
            ),
        ),
        attendants=(Attendant("zentrale", "200", {"1": "100", "2": "*100"}, "hairpin"),),
        data_sources=(DataSource("crm"),),
        voicemail=VoicemailSettings("199"),
        numbers=Numbers(("110", "112")),
        csta=Csta(),
        fax=Fax("tone"),
        test_numbers=TestNumbers(enabled=False, prefix="98"),
        security=Security(("127.0.0.1",), ("https://app.firma.example", "http://[::1]:3000")),
        source="site.toml",
        text=WHOLE_CONTRACT,
    )


def test_an_empty_file_is_a_site_with_the_defaults() -> None:
    site = Site.parse("", "leer.toml")
    assert site == Site(source="leer.toml")
    assert site.test_numbers.prefix == "99"
    assert site.voicemail == VoicemailSettings(None, "*", pin_from_own_phone=True)


def test_the_order_of_users_is_their_creation_sequence(site: Site) -> None:
    assert [(user.name, user.seq) for user in site.users] == [("anna", 1), ("ben", 2), ("clara", 3)]


def test_a_user_without_a_display_name_shows_his_name(site: Site) -> None:
    assert site.users[1].display_name == "ben"


def test_an_absent_group_list_is_not_an_empty_one(site: Site) -> None:
    functions = {group.name: group.functions for group in site.locations[0].groups}
    assert functions["Erbe"] is None
    assert functions["Lager"] == frozenset()


def test_secrets_do_not_show_in_a_printed_user(site: Site) -> None:
    assert "8264" not in repr(site.users[0])
    assert "a-1" not in repr(site.users[0])


def test_a_default_emergency_number_gives_way_to_a_configured_one(text: str) -> None:
    site = Site.parse(text.replace('"101"', '"110"').replace('"*101"', '"*110"'), "site.toml")
    assert site.numbers.emergency == ("112",)


BAD_LINES = [
    ("ip_channel = 4", "ip_chanel = 4", 'the licence "ip_chanel" is not known; did you mean "ip_channel"?'),
    ("office_plus = 1", "office_plus = -1", "-1 is not a number of office_plus licences; write 0 or more"),
    (
        "office_plus = 1",
        "office_plus = true",
        '"office_plus" has the wrong type of value; write a whole number',
    ),
    ("[server]", "[sever]", 'the key "sever" is not known; did you mean "server"?'),
    (
        'domain = "firma.example"',
        'domane = "x"',
        'the key "domane" is not known in [server]; did you mean "domain"?',
    ),
    ('domain = "firma.example"', 'domain = "a b"', '"a b" is no domain name; write e.g. firma.example'),
    (
        'password = "b-2"',
        'pasword = "b-2"',
        'the key "pasword" is not known in [[user]]; did you mean "password"?',
    ),
    ('password = "b-2"', "password = 2", '"password" has the wrong type of value; write a text in quotes'),
    ('password = "b-2"', 'password = ""', 'the password of "ben" is empty; write one'),
    ('password = "b-2"', "seq = 7", 'the key "seq" is not known in [[user]]; known keys are'),
    ('name = "ben"', 'name = "anna"', 'the user "anna" is there twice; rename or remove one of them'),
    (
        'name = "ben"',
        'name = "Anna"',
        'the users "anna" and "Anna" differ by case only; rename or remove one',
    ),
    (
        'name = "ben"',
        'name = "ben+mobile"',
        'the user name "ben+mobile" is that of a mobile softphone; do not let it end in +mobile',
    ),
    ('name = "ben"', 'name = "101"', 'the user name "101" is a number; use a name with a letter'),
    ('name = "ben"', 'name = "b/n"', "the user name 'b/n' cannot be part of a SIP address; use letters"),
    (
        'extension = "101"',
        'extension = "100"',
        'the extension 100 of the user "ben" is in use by the user "anna"; give one of them',
    ),
    (
        'extension = "101"',
        'extension = "200"',
        'the extension 200 of the user "ben" is in use by the attendant "zentrale"; give',
    ),
    (
        'extension = "101"',
        'extension = "199"',
        'the extension 199 of the user "ben" is in use by voicemail; give one of them',
    ),
    (
        'extension = "101"',
        'extension = "10a"',
        'the extension "10a" of the user "ben" is no number; use 1 to 20 digits',
    ),
    (
        '"1100"',
        '"101"',
        'the fax_number 101 of the user "anna" is in use by the user "ben"; give one of them',
    ),
    ('"8264"', '"1234"', 'the voicemail_pin of "anna" is not a PIN; use 2 to 9 digits without a run'),
    (
        'busy = "*100"',
        'bussy = "*100"',
        'the key "bussy" is not known in [user.forward]; did you mean "busy"?',
    ),
    (
        'busy = "*100"',
        'external = { alway = "101" }',
        'the key "alway" is not known in [user.forward.external]; did you mean "always"?',
    ),
    (
        'busy = "*100"',
        'internal = { always = "100" }',
        'the internal always forwarding of "anna" leads back to its own extension 100; name another',
    ),
    (
        'busy = "*100"',
        'busy = "*109"',
        'the target "*109" of the busy forwarding of "anna" is nobody\'s mailbox; write',
    ),
    (
        'busy = "*100"',
        'busy = "100"',
        'the busy forwarding of "anna" leads back to its own extension 100; name another',
    ),
    (
        'busy = "*100"',
        'busy = "ben"',
        'the target "ben" of the busy forwarding of "anna" is no number; use digits',
    ),
    (
        "after_s = 15",
        "after_s = 181",
        'after_s = 181 in the forwarding of "anna" is out of range; write 1 to 180',
    ),
    ('name = "Bonn"', 'name = "Ulm"', 'the location "Ulm" is there twice; rename or remove one of them'),
    ('name = "Bonn"', r'name = "Bo\nnn"', 'the text of "name" has a control character; remove it'),
    (
        'name = "Bonn"',
        r'"na\u2028me" = 1',
        r'the key "na\u2028me" is not known in [[location]]; did you mean "name"?',
    ),
    ('name = "Bonn"', 'name = " "', "a location has no name; write one"),
    ('name = "Bonn"', 'nam = "Bonn"', 'the key "nam" is not known in [[location]]; did you mean "name"?'),
    (
        'name = "Bonn"',
        'name = "B"\ngroups = []',
        'the key "groups" is not known in [[location]]; did you mean "group"?',
    ),
    ('name = "Erbe"', 'name = "Plus"', 'the group "Plus" is in "Ulm" twice; rename or remove one of them'),
    ('name = "Erbe"', "functions = []", 'the key "name" is missing in [[location.group]]; add it'),
    ('["softphone"', '["softfone"', 'the function "softfone" is not known; did you mean "softphone"?'),
    (
        '["softphone"',
        '["tapi_line"',
        'the function "tapi_line" is on, but a line takes its licence when it is first used; remove it',
    ),
    ('["softphone"', "[7", '"entry 1 of functions" has the wrong type of value; write a text in quotes'),
    (
        'members = ["anna"]',
        'members = ["ana"]',
        '"ana" in the members of the team "hotline" is no user; did you mean',
    ),
    ('"127.0.0.31"]', '"127.0.0.331"]', '"127.0.0.331" is no peer of the trunk "zweites"; write an address'),
    (
        '"127.0.0.31"]',
        '"127.0.0.30"]',
        'the peer "127.0.0.30" belongs to the trunks "amt" and "zweites"; remove',
    ),
    ('name = "zweites"', 'name = "amt"', 'the trunk "amt" is there twice; rename or remove one of them'),
    (
        'numbers = "0731777"',
        'numbers = "0731/777"',
        'the direct-dial root "0731/777" of the trunk "amt" is no number',
    ),
    (
        'numbers = "0731777"',
        'uri = "127.0.0.1"',
        'the uri "127.0.0.1" of the trunk "amt" leads nowhere over UDP, TCP or TLS; write',
    ),
    (
        'numbers = "0731777"',
        'username = "u"',
        'the trunk "amt" has a username and no password; give both or neither',
    ),
    (
        'numbers = "0731777"',
        'realm = "amt"',
        'the trunk "amt" has a realm and no username; give',
    ),
    (
        'numbers = "0731777"',
        'username = "u"\npassword = "p"\nrealm = ""',
        'the trunk "amt" has an empty realm; give',
    ),
    (
        'numbers = "0731777"',
        "register = true",
        'the trunk "amt" is to register and has no uri and no username and no password; give',
    ),
    (
        'numbers = "0731777"',
        'outbound_prefix = ""',
        'the outbound_prefix "" of the trunk "amt" cannot be dialled; use',
    ),
    (
        '"1" = "100"',
        '"11" = "100"',
        'the menu has a key "11" that no telephone has (in the attendant "zentrale"); use',
    ),
    (
        '"1" = "100"',
        '"1" = "*9"',
        'the target "*9" of the key 1 of the attendant "zentrale" is nobody\'s mailbox; write',
    ),
    (
        'extension = "199"',
        'direct_prefix = "x"',
        'the direct_prefix "x" cannot be dialled; use 1 to 4 digits, * or #',
    ),
    ('extension = "199"', "[[voicemail]]", "this is not TOML (Cannot overwrite a value); correct the line"),
    ("[voicemail]", "[[voicemail]]", '"voicemail" is not the table that it should be; write [voicemail]'),
    (
        "[[team]]",
        "[team]",
        '"team" is not the table that it should be; write [[team]]',
    ),
]


@pytest.mark.parametrize(("good", "bad", "sentence"), BAD_LINES, ids=[bad for _, bad, _ in BAD_LINES])
def test_bad_input_is_one_sentence_with_file_line_and_remedy(
    text: str, good: str, bad: str, sentence: str
) -> None:
    assert good in text
    broken = text.replace(good, bad, 1)
    last_line = text[: text.index(good)].count("\n") + 1 + bad.count("\n")
    with pytest.raises(SiteError) as caught:
        Site.parse(broken, "firma.toml")
    message = str(caught.value)
    assert "\n" not in message
    place, _, rest = message.partition(": ")
    assert sentence in rest
    assert place == f"firma.toml, line {last_line - ('missing' in sentence)}"


@pytest.mark.parametrize(
    ("addition", "sentence"),
    [
        ('[licensing]\nmode = "free"', "the key \"mode\" has the unknown value 'free'; use 'enforce'"),
        ("[test_numbers]\nprefix = 'x'", 'the prefix "x" of the test numbers is no number; use digits'),
        (
            "[security]\ntrusted_sources = ['here']",
            'the trusted source "here" is neither an address nor a network',
        ),
        (
            "[security]\nwebsocket_origins = ['app.firma.example']",
            '"app.firma.example" is no origin of pages; write scheme, host and port as a browser does',
        ),
        ("[numbers]\nemergency = ['101']", "in use by the emergency numbers"),
        ("[server.languages]\n'0041' = 'fr'", '"0041" = "fr" tells of no callers their language; write e.g.'),
        (
            "[responses]\nprofile = 'cisco'",
            "the key \"profile\" has the unknown value 'cisco'; use 'ringfence', ",
        ),
        (
            "[responses]\nip_channel = { internal = 500 }",
            "the key \"internal\" has the unknown value 500; use 503, 486, 403, 603 or 'announcement'",
        ),
        (
            "[responses]\nfax = { internal = 503 }",
            'the key "fax" is not known in [responses]; known keys are',
        ),
        ("[numbers]\nemergency = ['one']", '"one" is no emergency number; use 1 to 20 digits'),
        ("[[calendar]]\nname = 'a'\n[[calendar]]\nname = 'a'", 'the calendar "a" is there twice'),
        (
            "[[calendar]]\nname = 'a'\nzone = 'UTC'",
            'the key "zone" is not known in [[calendar]]; did you mean',
        ),
        (
            "[[calendar]]\nname = 'a'\ntime_zone = 'Moon'",
            'the time zone "Moon" is not known here in the calendar "a"',
        ),
        ("[[calendar]]\nname = 'a'\nhours.mon = '8'", '"mon" has the wrong type of value; write a list'),
        (
            "[[calendar]]\nname = 'a'\nhours.mon = ['8']",
            '"8" is no time of the day in the calendar "a"; write',
        ),
        (
            "[[calendar]]\nname = 'a'\nhours.Mon = []",
            '"Mon" is no day of the week in the calendar "a"; use mon',
        ),
        ("[[calendar]]\nname = 'a'\nholidays = ['Xmas']", '"Xmas" is no day in the calendar "a"; write e.g.'),
        ("[[calendar]]\ntime_zone = 'UTC'", 'the key "name" is missing in [[calendar]]; add it'),
    ],
)
def test_a_setting_that_cannot_be_is_told_with_the_line(text: str, addition: str, sentence: str) -> None:
    with pytest.raises(SiteError, match=re.escape(sentence)) as caught:
        Site.parse(text + addition, "firma.toml")
    assert caught.value.line is not None


def test_the_first_of_several_faults_is_told(text: str) -> None:
    broken = text.replace('"127.0.0.31"', '"x"').replace("ip_channel", "ip_chanel")
    with pytest.raises(SiteError, match="ip_chanel"):
        Site.parse(broken, "firma.toml")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, r"firma.toml: the site file is not there; check the path"),
        (
            b"[server]\nname = 'M\xfcnchen'\n",
            r"firma.toml, line 2: the text is not UTF-8; save the file as UTF-8",
        ),
        (b"[server]\nname = \n", r"firma.toml, line 2: this is not TOML \(Invalid value\); correct the line"),
        (b"[server]\nname = 'x", r"firma.toml, line 2: this is not TOML \(.*\); correct the line"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, data: bytes | None, sentence: str
) -> None:
    path = tmp_path / "firma.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SiteError, match=sentence):
        Site.read(path)


def test_a_directory_is_no_site_file(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="this is a directory; name the site file in it"):
        Site.read(tmp_path)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path, text: str, site: Site) -> None:
    path = tmp_path / "firma.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert replace(Site.read(path), source=site.source) == site


def test_line_ends_do_not_change_the_digest(site: Site) -> None:
    assert replace(site, text=site.text.replace("\n", "\r\n")).digest == site.digest
    assert replace(site, text=site.text + "# more\n").digest != site.digest


def test_the_values_can_be_imported_without_pydantic_or_the_database() -> None:
    code = "import sys, ringfence.server.site.site; print({'pydantic', 'sqlalchemy'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_never_raises_anything_but_a_site_error(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    junk = data.draw(st.text(st.sampled_from("\"[]{}=,.#\n\\ a1*'\t\u2028"), max_size=6))
    try:
        Site.parse(text[:start] + junk + text[end:], "firma.toml")
    except SiteError as error:
        assert "\n" not in str(error)  # noqa: PT017 - most damage is refused, some is harmless


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 5000, "[server]\nname = " + "9" * 5000, "a = " + "{ b = " * 3000],
    ids=["lists", "digits", "tables"],
)
def test_what_is_too_deep_or_too_long_is_one_sentence_as_well(text: str) -> None:
    with pytest.raises(SiteError) as caught:
        Site.parse(text, "firma.toml")
    assert str(caught.value).startswith("firma.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["tel:0731", "sip:127.0.0.1:99999", "sips:127.0.0.1;transport=ws", "sip:300.1.1.1"]
)
def test_a_trunk_that_can_never_be_reached_is_refused(text: str, uri: str) -> None:
    broken = text.replace('numbers = "0731777"', f'uri = "{uri}"', 1)
    assert broken != text
    with pytest.raises(SiteError, match="leads nowhere over UDP, TCP or TLS"):
        Site.parse(broken, "firma.toml")


def test_a_prefix_that_makes_a_mailbox_of_somebody_s_number_is_refused() -> None:
    small = Site.sample("small").text
    broken = small.replace('direct_prefix = "*"', 'direct_prefix = "7"').replace(
        'extension = "104"', 'extension = "7100"'
    )
    broken = broken.replace('"*100"', '"7100"').replace('"*102"', '"7102"')
    with pytest.raises(SiteError, match="makes the mailbox of"):
        Site.parse(broken, "firma.toml")
