"""The site that the tests of this folder change: three users, two groups, one of everything."""

from __future__ import annotations

import pytest

from ringfence.server.site.site import Site

TEXT = """\
[server]
name = "Firma"
domain = "firma.example"
[entitlements]
server = 1
ip_channel = 4
auto_attendant = 1
office_plus = 1
voicemail = 3
[[location]]
name = "Ulm"
functions = ["voicemail"]
[[location.group]]
name = "Plus"
functions = ["softphone", "voicemail"]
[[location.group]]
name = "Lager"
functions = []
[[location.group]]
name = "Erbe"
[[location]]
name = "Bonn"
[[user]]
name = "anna"
location = "Ulm"
group = "Plus"
extension = "100"
password = "a-1"
fax_number = "1100"
voicemail_pin = "8264"
forward = { busy = "*100", no_answer = "101", after_s = 15 }
[[user]]
name = "ben"
location = "Ulm"
group = "Plus"
extension = "101"
password = "b-2"
[[user]]
name = "clara"
location = "Ulm"
extension = "102"
password = "c-3"
[[team]]
name = "hotline"
members = ["anna"]
[[trunk]]
name = "amt"
peers = ["127.0.0.30", "10.0.0.0/8"]
numbers = "0731777"
[[trunk]]
name = "zweites"
peers = ["127.0.0.30:5070", "10.1.0.0/16", "127.0.0.31"]
[[auto_attendant]]
name = "zentrale"
extension = "200"
menu = { "1" = "100", "*" = "*101" }
[voicemail]
extension = "199"
"""


@pytest.fixture
def text() -> str:
    return TEXT


@pytest.fixture
def site() -> Site:
    return Site.parse(TEXT, "firma.toml")
