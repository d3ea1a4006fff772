from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.store.journal import Entry, Journal, Kind
from ringfence.server.store.journal_feed import JournalFeed
from ringfence.server.switch.events import (
    CallConferenced,
    CallEnded,
    CallForwarded,
    CallParked,
    CallPickedUp,
    CallPulled,
    CallStarted,
    CallUnparked,
    DigitPressed,
    Refused,
)
from ringfence.server.switch.stream import Stamped

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest


async def test_a_call_is_one_entry_once_it_is_over_and_a_refusal_one_at_once() -> None:
    journal = Journal(None, lambda: 1000.0, inline=True)
    feed = JournalFeed(journal, {"100": "anna", "*101": None}.get, lambda at_s: 1000.0 + at_s)
    refused = Refused("d-1", "ip_channel.exhausted", "a call", "c-1", "ben")
    for seq, event in enumerate(
        [
            CallStarted("c-1", "100", "*101"),
            DigitPressed("c-1", "l-1", "5"),
            refused,
            CallEnded("c-1", 34, 2.0),
            Refused("d-2", "license.office_plus.under_licensed", "a registration", user="ben"),
            CallEnded("c-0", 16, 1.0),
        ]
    ):
        feed.hear(Stamped(seq, float(seq), event))
    assert (await journal.find()).entries[::-1] == (
        Entry(
            "refusal",
            1002.0,
            "c-1",
            "100",
            "*101",
            "anna",
            None,
            "ben",
            "ip_channel.exhausted",
            "d-1",
            "a call",
        ),
        Entry("call", 1000.0, "c-1", "100", "*101", "anna", None, cause=34, duration_s=2.0),
        Entry(
            "refusal",
            1004.0,
            user="ben",
            reason="license.office_plus.under_licensed",
            decision="d-2",
            what="a registration",
        ),
        Entry("call", 1004.0, "c-0", cause=16, duration_s=1.0),
    )
    await journal.close()


@pytest.mark.parametrize(
    ("event", "kind", "what"),
    [
        (CallPickedUp("c-1", "102", "101"), "pickup", "call at 101 picked up by 102"),
        (CallParked("c-1", "102", "100", "71"), "park", "100 parked at 71 by 102"),
        (CallUnparked("c-1", "102", "71"), "retrieval", "taken from 71 by 102"),
        (CallPulled("c-1", "102", "clara"), "pull", "pulled from clara to 102"),
        (CallConferenced("c-1", "102", ("100", "102"), "c-2"), "conference", "conference of 100, 102"),
    ],
)
async def test_what_somebody_does_with_a_call_is_an_entry_of_his(
    event: object, kind: Kind, what: str
) -> None:
    journal = Journal(None, lambda: 1000.0, inline=True)
    feed = JournalFeed(journal, {"100": "anna", "101": "ben", "102": "clara"}.get, lambda at_s: 1000.0 + at_s)
    for seq, one in enumerate([CallStarted("c-1", "100", "101"), event]):
        feed.hear(Stamped(seq, float(seq), one))
    expected = Entry(kind, 1001.0, "c-1", "100", "101", "anna", "ben", "clara", what=what)
    assert (await journal.find(user="clara")).entries == (expected,)
    await journal.close()


async def test_a_forwarding_tells_whose_it_is_and_why_and_a_slot_that_is_given_up_nothing() -> None:
    journal = Journal(None, lambda: 1000.0, inline=True)
    feed = JournalFeed(journal, {"100": "anna", "101": "ben", "ben": "ben"}.get, lambda at_s: 1000.0 + at_s)
    events = [
        CallStarted("c-1", "100", "101"),
        CallForwarded("c-1", "ben", "*101", "user.no_answer"),
        CallUnparked("c-1", None, "71"),
    ]
    for seq, event in enumerate(events):
        feed.hear(Stamped(seq, float(seq), event))
    (entry,) = (await journal.find()).entries
    assert (entry.kind, entry.user, entry.reason) == ("forwarding", "ben", "user.no_answer")
    assert entry.what == "forwarded to *101"
    await journal.close()


async def test_a_server_notes_its_calls_and_refusals(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    call = await anna.dial("777")
    page = await pbx.server.journal.find(number="777")
    assert [entry.kind for entry in page.entries] == ["call", "refusal"]
    assert page.entries[1].decision == call.decision
    assert {entry.caller_user for entry in page.entries} == {"anna"}


@pytest.mark.virtual_time
async def test_in_virtual_time_the_journal_is_kept_in_memory(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    await anna.dial("777")
    assert len((await pbx.server.journal.find()).entries) == 2
    assert not list(pbx.server.store.folder.glob("*.sqlite"))
