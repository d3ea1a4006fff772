"""What conditions are told of a call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.channels.session import Party
from ringfence.features.conditions.condition import Circumstances
from ringfence.fixtures.plugin import read_site
from ringfence.server.clock import Clock
from ringfence.server.site.directory import Directory
from ringfence.server.site.site import Site
from ringfence.server.switch.circumstances import circumstances_of

MOMENT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SITE = read_site("small").text.replace(
    'domain = "klein.example"', 'domain = "klein.example"\nlanguages = { "+4122" = "fr" }'
)


@pytest.mark.parametrize(
    ("party", "callers", "origin", "language"),
    [
        (Party("+4122555", trunk="amt"), ("+4122555",), "external", "fr"),
        (Party("+4144555", trunk="amt"), ("+4144555",), "external", "de"),
        (Party("anonymous", trunk="amt"), (), "external", "en"),
        (Party("100", user="anna", extension=True), ("100", "anna"), "internal", "en"),
        (Party("anna", user="anna"), ("100", "anna"), "internal", "en"),
        (Party("100", user="anna", extension=True, private=True), (), "internal", "en"),
    ],
)
def test_a_caller_is_known_by_his_numbers_unless_he_hides(
    party: Party, callers: tuple[str, ...], origin: str, language: str
) -> None:
    directory = Directory(Site.parse(SITE))
    found = circumstances_of(party, "200", directory, Clock(lambda: 0.0, MOMENT), frozenset({"away"}))
    assert found == Circumstances(MOMENT, callers, "200", origin, frozenset({"away"}), language)  # type: ignore[arg-type]
    assert found.moment.tzinfo is not None
