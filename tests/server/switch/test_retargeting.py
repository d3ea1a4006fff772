"""Diversion (RFC 5806) and History-Info (RFC 7044) of calls that were forwarded, here or before they came."""

from __future__ import annotations

import pytest

from ringfence.channels.session import Party
from ringfence.server.sip.message import Request
from ringfence.server.sip.uri import SipUri
from ringfence.server.switch.retargeting import MOST, NO_PAST, Forwarded, Past, past_of, retargeting_headers

TRUNK, DESK = Party("4912", trunk="amt"), Party("101", user="ben")
TARGET = SipUri("sip", "103", "k.example")
FIRST, SECOND = (SipUri("sip", number, "k.example") for number in ("101", "102"))


def invite(*headers: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:100@k.example", list(headers))


def history(*forwarded: Forwarded, past: Past = NO_PAST) -> list[str]:
    return [value for name, value in retargeting_headers(forwarded, TARGET, past) if name == "History-Info"]


def test_every_target_is_one_level_below_the_one_before_with_the_cause_of_its_forwarding() -> None:
    """RFC 7044 10.3 and 5.3, RFC 4458 2: mp names the entry from which the target was mapped."""
    assert history(Forwarded(FIRST, "user.no_answer"), Forwarded(SECOND, "call.rejected")) == [
        "<sip:101@k.example>;index=1",
        "<sip:102@k.example;cause=408>;index=1.1;mp=1",
        "<sip:103@k.example;cause=302>;index=1.1.1;mp=1.1",
    ]


def test_the_last_diversion_comes_first() -> None:
    """RFC 5806 4."""
    forwarded = (Forwarded(FIRST, "user.busy"), Forwarded(SECOND, "user.not_registered"))
    headers = retargeting_headers(forwarded, TARGET, Past(("<sip:0@x>",)))
    assert [value for name, value in headers if name == "Diversion"] == [
        "<sip:102@k.example>;reason=unavailable",
        "<sip:101@k.example>;reason=user-busy",
        "<sip:0@x>",
    ]


def test_what_a_trunk_brought_along_goes_on_from_its_last_entry() -> None:
    """RFC 7044 10.3: our targets are below it."""
    before = ("<sip:0800@carrier.example>;index=1", "<sip:0899@carrier.example;cause=302>;index=1.2;mp=1")
    past = past_of(TRUNK, invite(("History-Info", ", ".join(before))))
    assert past == Past((), before)
    assert history(Forwarded(FIRST, "user.busy"), past=past) == [
        *before,
        "<sip:101@k.example>;index=1.2.1",
        "<sip:103@k.example;cause=486>;index=1.2.1.1;mp=1.2.1",
    ]
    assert history(past=past) == [*before, "<sip:103@k.example>;index=1.2.1"]


def test_it_is_kept_within_bounds() -> None:
    many = [("History-Info", f"<sip:{n}@x>;index=1.{n}") for n in range(50)]
    many += [("Diversion", f"<sip:{n}@x>;reason=unknown") for n in range(50)]
    past = past_of(TRUNK, invite(*many))
    assert (len(past.history), len(past.diversion)) == (MOST, MOST)
    headers = retargeting_headers([Forwarded(FIRST, "user.busy")], TARGET, past)
    assert len(headers) == MOST + MOST + 2


@pytest.mark.parametrize(
    "headers",
    [
        [("History-Info", "<sip:1@x")],
        [("History-Info", "<sip:1@x>")],
        [("History-Info", "<sip:1@x>;index=1.x")],
        [("History-Info", "<sip:1@x>;index=1" + ".1" * 16)],
        [("History-Info", "<sip:1@x>;index=1"), ("Privacy", "id; History")],
        [("History-Info", "<sip:1@x>;index=1"), ("Privacy", "header")],
        [("History-Info", "<sip:1@x?Privacy=history>;index=1")],
    ],
)
def test_malformed_or_hidden_history_is_dropped(headers: list[tuple[str, str]]) -> None:
    """RFC 7044 10.1."""
    assert past_of(TRUNK, invite(*headers)) == NO_PAST


def test_a_telephone_s_word_is_not_believed() -> None:
    """It may write what it wants; the server knows its forwardings."""
    headers = (("History-Info", "<sip:1@x>;index=1"), ("Diversion", "<sip:1@x>"))
    assert past_of(DESK, invite(*headers)) is NO_PAST
