"""How a site wants its licences dealt, and what of it cannot be."""

from __future__ import annotations

import re

import pytest

from ringfence.licensing.keys import DEVELOPER_KEY
from ringfence.licensing.modes import Enforce, Grace, Mode, Overdraft, Warn
from ringfence.server.site.dealing import modes, service_order
from ringfence.server.site.site import Site, SiteError


def test_reservations_and_contingents_are_read_in_file_order(text: str) -> None:
    text = text.replace('name = "Ulm"', 'name = "Ulm"\ncontingent = { office = 1, fax = 0 }', 1)
    text = text.replace('name = "Bonn"', 'name = "Bonn"\ncontingent = { office = 2 }', 1)
    order = service_order(Site.parse(text + '[licensing]\nreservations = { office = ["clara", "anna"] }\n'))
    assert order.reservations == {"office": ("clara", "anna")}
    assert list(order.contingents.items()) == [("Ulm", {"office": 1, "fax": 0}), ("Bonn", {"office": 2})]


@pytest.mark.parametrize(
    ("licensing", "mode"),
    [
        ("", Enforce()),
        ('mode = "warn"', Warn()),
        ('mode = "grace"', Grace(30)),
        ('mode = "overdraft"', Overdraft(5)),
        ("modes = { fax = { grace_days = 14 } }", Grace(14)),
        ("modes = { fax = { grace_days = 14, grace_percent = 10 } }", Grace(14, 10)),
        ('modes = { fax = { mode = "grace", grace_percent = 10 } }', Grace(30, 10)),
        ("modes = { fax = { overdraft = 2 } }", Overdraft(2)),
        ('mode = "warn"\nmodes = { fax = { mode = "enforce" } }', Enforce()),
        ('mode = "warn"\nmodes = { voicemail = { overdraft = 2 } }', Warn()),
    ],
)
def test_the_mode_of_a_pool_is_its_own_or_that_of_all(text: str, licensing: str, mode: Mode) -> None:
    assert modes(Site.parse(f"{text}[licensing]\n{licensing}\n")).of("fax") == mode


def test_tapi_lines_are_dealt_to_users_where_they_are_configured(text: str) -> None:
    text = text.replace('functions = ["voicemail"]', 'functions = ["tapi_line"]', 1)
    settings = 'tapi = "configured"\nreservations = { tapi_line = ["anna"] }\nmode = "warn"\n'
    site = Site.parse(f"{text}[licensing]\n{settings}modes = {{ tapi_line = {{ overdraft = 1 }} }}\n")
    assert modes(site).of("tapi_line") == Overdraft(1)


def test_a_trusted_key_is_the_line_of_a_public_key(text: str) -> None:
    site = Site.parse(f'{text}[licensing]\ntrusted_keys = ["{DEVELOPER_KEY}"]\n')
    assert site.licensing.trusted_keys == (DEVELOPER_KEY,)


PRIVATE = DEVELOPER_KEY.replace("ed25519:", "ed25519-private:")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'reservations = { office = ["ana"] }',
            '"ana", for whom office is reserved, is no user; did you mean "anna"?',
        ),
        (
            'reservations = { ofice = ["anna"] }',
            '"ofice" is reserved, but is no licence of users; did you mean "office"?',
        ),
        (
            'reservations = { server = ["anna"] }',
            '"server" is reserved, but is no licence of users; use one of office,',
        ),
        ('reservations = { tapi_line = ["anna"] }', 'not dealt to users; write tapi = "configured" first'),
        ('modes = { ip_channel = { mode = "warn" } }', '"ip_channel" has a mode, but is no licence of users'),
        ("modes = { fax = { grace_days = 0 } }", "0 is no grace_days of fax; write 1 to 3650"),
        ("modes = { fax = { grace_days = 3651 } }", "3651 is no grace_days of fax"),
        (
            "modes = { fax = { grace_days = 1, grace_percent = -1 } }",
            "-1 is no grace_percent of fax; write 0 to 1000",
        ),
        ("modes = { fax = { overdraft = -1 } }", "-1 is no overdraft of fax"),
        ("modes = { fax = { } }", "the mode of fax is not told; write one of"),
        (
            "modes = { fax = { overdraft = 1, grace_days = 1 } }",
            "the mode of fax is grace and overdraft; write one of",
        ),
        (
            'modes = { fax = { mode = "warn", grace_days = 1 } }',
            "the mode of fax is grace and warn; write one of",
        ),
        (
            "modes = { fax = { grace_dayz = 1 } }",
            'the key "grace_dayz" is not known in [licensing.modes.fax]; did you mean',
        ),
        (
            'modes = { fax = { grace_days = "1" } }',
            '"grace_days" has the wrong type of value; write a whole number',
        ),
        ('modes = { fax = { mode = "free" } }', "the key \"mode\" has the unknown value 'free'"),
        ('trusted_keys = ["k"]', "an entry of trusted_keys is no public key; write the line of a .pub file"),
        (f'trusted_keys = ["{PRIVATE}"]', "an entry of trusted_keys is no public key"),
        ('aa_limit_unit = "users"', "the key \"aa_limit_unit\" has the unknown value 'users'"),
    ],
)
def test_licensing_that_cannot_be_is_told_with_the_line(text: str, line: str, sentence: str) -> None:
    with pytest.raises(SiteError, match=re.escape(sentence)) as caught:
        Site.parse(f"{text}[licensing]\n{line}\n", "firma.toml")
    assert caught.value.line == text.count("\n") + 2
    assert PRIVATE not in str(caught.value)


@pytest.mark.parametrize(
    ("contingent", "sentence"),
    [
        ("ofice = 1", '"ofice" has a contingent, but is no licence of users; did you mean "office"?'),
        ("ip_channel = 1", '"ip_channel" has a contingent, but is no licence of users'),
        ("tapi_line = 1", 'write tapi = "configured" first'),
        ("office = -1", "-1 is not a number of office licences; write 0 or more"),
        ("office = 1.5", "has the wrong type of value; write a whole number"),
    ],
)
def test_a_contingent_that_cannot_be_is_told_with_the_line(text: str, contingent: str, sentence: str) -> None:
    broken = text.replace('name = "Bonn"', f'name = "Bonn"\ncontingent = {{ {contingent} }}', 1)
    with pytest.raises(SiteError, match=re.escape(sentence)) as caught:
        Site.parse(broken, "firma.toml")
    assert caught.value.line == broken[: broken.index("contingent")].count("\n") + 1
