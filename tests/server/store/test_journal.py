from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from ringfence.server.store.failure import StoreError
from ringfence.server.store.journal import Bounds, Entry, Journal
from ringfence.server.store.journal_legs import LEGS_A_CALL, Leg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW = 1_700_000_000.0
CALL = Entry("call", NOW, "c-1", "100", "0891234", "anna", None, cause=16, duration_s=2.5)
REFUSAL = Entry(
    "refusal",
    NOW + 1,
    user="ben",
    reason="ip_channel.exhausted",
    decision="d-1",
    what="a call",
    called="*101",
)


@pytest.fixture(params=["memory", "file"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    inline = request.param == "memory"
    journal = Journal(None if inline else tmp_path, lambda: NOW, inline=inline)
    yield journal
    await journal.close()


def numbered(*numbers: int) -> list[Entry]:
    return [Entry("call", NOW + n, call_id=str(n)) for n in numbers]


async def test_what_was_noted_is_found_newest_first(journal: Journal) -> None:
    journal.note(CALL)
    journal.note(REFUSAL)
    page = await journal.find()
    assert page.entries == (REFUSAL, CALL)
    assert page.before is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"user": "anna"}, [CALL]),
        ({"user": "ben"}, [REFUSAL]),
        ({"number": "0891234"}, [CALL]),
        ({"number": "*101"}, [REFUSAL]),
        ({"reason": "ip_channel.exhausted"}, [REFUSAL]),
        ({"since": NOW + 1}, [REFUSAL]),
        ({"until": NOW + 1}, [CALL]),
        ({"user": "anna", "reason": "ip_channel.exhausted"}, []),
    ],
)
async def test_a_question_names_time_user_number_or_reason(
    journal: Journal, query: dict[str, object], found: list[Entry]
) -> None:
    journal.note(CALL)
    journal.note(REFUSAL)
    assert list((await journal.find(**query)).entries) == found  # type: ignore[arg-type]


async def test_pages_follow_each_other_without_gap_or_overlap(journal: Journal) -> None:
    entries = numbered(*range(7))
    for entry in entries:
        journal.note(entry)
    seen: list[Entry] = []
    before = None
    for _ in range(3):
        page = await journal.find(limit=3, before=before)
        seen += page.entries
        before = page.before
        journal.note(replace(CALL, at=NOW + 100))
    assert seen == entries[::-1]
    assert before is None


async def test_noting_never_waits_and_a_batch_is_written_by_itself_a_moment_later(tmp_path: Path) -> None:
    loop, writing = asyncio.get_running_loop(), asyncio.Event()

    def clock() -> float:
        loop.call_soon_threadsafe(writing.set)
        return NOW

    journal = Journal(tmp_path, clock, bounds=Bounds(delay_s=0.0))
    journal.note(CALL)
    assert not (tmp_path / "journal.sqlite").exists()
    await writing.wait()
    await journal.close()
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    connection.close()


async def test_where_entries_come_too_fast_the_oldest_give_way_and_the_gap_is_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: NOW, bounds=Bounds(waiting=3))
    for entry in numbered(*range(5)):
        journal.note(entry)
    *kept, gap = (await journal.find()).entries
    assert kept == numbered(4, 3, 2)
    assert (gap.kind, gap.missing) == ("gap", 2)
    await journal.close()


async def test_count_and_age_are_bounded(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: NOW + 10, bounds=Bounds(kept=3, age_s=5.5))
    for entry in numbered(4, 5, 6, 7):
        journal.note(entry)
    assert list((await journal.find()).entries) == numbered(7, 6, 5)
    for entry in numbered(8, 9):
        journal.note(entry)
    assert list((await journal.find()).entries) == numbered(9, 8, 7)
    await journal.close()


async def test_the_journal_outlives_the_server(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: NOW)
    journal.note(CALL)
    await journal.close()
    again = Journal(tmp_path, lambda: NOW)
    assert (await again.find()).entries == (CALL,)
    await again.close()


async def test_the_legs_of_a_call_come_with_it_whether_told_before_or_after(journal: Journal) -> None:
    before = Leg(NOW, "c-1", "l-1", "100", {"codec": "PCMA", "mos": 4.4, "digits": 2})
    after = Leg(NOW + 5, "c-1", "l-2", "101", {"codec": "PCMU", "mos": None, "digits": 0})
    journal.note(before)
    journal.note(CALL)
    journal.note(REFUSAL)
    assert (await journal.find()).legs == {"c-1": (before,)}
    journal.note(after)
    page = await journal.find()
    assert page.legs == {"c-1": (before, after)}
    assert page.entries == (REFUSAL, CALL)
    assert (await journal.find(user="ben")).legs == {}


async def test_legs_are_kept_no_longer_than_their_calls() -> None:
    journal = Journal(None, lambda: NOW + 10, inline=True, bounds=Bounds(kept=1, age_s=5.5))
    journal.note(Leg(NOW, "old", "l-0", "100", {}))
    for number in range(6):
        journal.note(Leg(NOW + 9, "new", f"l-{number}", "100", {}))
    journal.note(Entry("call", NOW + 9, "old"))
    assert (await journal.find()).legs == {}
    journal.note(Entry("call", NOW + 9, "new"))
    assert len((await journal.find()).legs["new"]) == LEGS_A_CALL
    await journal.close()


async def test_a_journal_of_before_there_were_legs_is_read_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: NOW)
    journal.note(CALL)
    await journal.close()
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.executescript("DROP TABLE legs; PRAGMA user_version = 1")
    connection.close()
    again = Journal(tmp_path, lambda: NOW)
    again.note(leg := Leg(NOW, "c-1", "l-1", "100", {}))
    page = await again.find()
    assert (page.entries, page.legs) == ((CALL,), {"c-1": (leg,)})
    await again.close()


@pytest.mark.parametrize("wrong", ["damaged", "newer"])
async def test_a_damaged_or_newer_journal_is_put_aside_and_a_new_one_begun(
    tmp_path: Path, wrong: str
) -> None:
    file = tmp_path / "journal.sqlite"
    if wrong == "damaged":
        file.write_bytes(b"no database " * 1000)
    else:
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    journal = Journal(tmp_path, lambda: NOW)
    journal.note(CALL)
    with capture_logs() as logs:
        assert (await journal.find()).entries == (CALL,)
    await journal.close()
    assert [entry["event"] for entry in logs] == ["journal.put_aside"]
    aside = (tmp_path / "journal.aside").read_bytes()
    assert aside.startswith(b"no database" if wrong == "damaged" else b"SQLite format 3")


async def test_what_cannot_be_written_is_logged_and_counted_and_nobody_else_is_hurt(tmp_path: Path) -> None:
    place = tmp_path / "not yet there"
    journal = Journal(place, lambda: NOW)
    journal.note(CALL)
    with capture_logs() as logs:
        await journal.flush()
    assert [(entry["event"], entry["missing"]) for entry in logs] == [("journal.write_failed", 1)]
    with pytest.raises(StoreError, match="the database cannot be opened"):
        await journal.find()
    place.mkdir()
    journal.note(REFUSAL)
    refusal, gap = (await journal.find()).entries
    assert refusal == REFUSAL
    assert gap.missing == 1
    await journal.close()
