"""A site to store, and a data directory to store it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
[entitlements]
server = 1
ip_channel = 2
voicemail = 2
[[location]]
name = "Ulm"
functions = ["voicemail"]
[[location.group]]
name = "Plus"
functions = ["softphone", "voicemail"]
[[location.group]]
name = "Erbe"
[[location.group]]
name = "Lager"
functions = []
[[user]]
name = "anna"
location = "Ulm"
group = "Plus"
extension = "100"
password = "a-1"
voicemail_pin = "8264"
forward = { busy = "*100", after_s = 7.5 }
[[user]]
name = "ben"
location = "Ulm"
extension = "101"
password = "b-2"
"""


@pytest.fixture
def site() -> Site:
    return Site.parse(TEXT, "firma.toml")


@pytest.fixture
def changed() -> Site:
    newcomer = '[[user]]\nname = "aaron"\nlocation = "Ulm"\nextension = "102"\npassword = "c"\n'
    return Site.parse(newcomer + TEXT.replace('"softphone", "voicemail"', '"softphone"'), "neu.toml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "new" / "data"
