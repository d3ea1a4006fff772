from __future__ import annotations

from ringfence.server.site.problem import closest


def test_the_nearest_known_word_is_offered() -> None:
    assert closest("ip_chanel", ["office", "ip_channel"], "look it up") == 'did you mean "ip_channel"?'


def test_where_none_is_near_another_remedy_is_given() -> None:
    assert closest("xyz", ["office", "ip_channel"], "look it up") == "look it up"
