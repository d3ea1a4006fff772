"""Attendants over HTTP: listed, made, changed, deleted, kept in the store; what leads nowhere changes nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pytest
import soundfile

from ringfence.channels.media.plane import Clip, Prompt
from ringfence.features.attendant.settings import ToMenu, ToNumber
from ringfence.fixtures.plugin import read_site
from ringfence.server.site.acts import DeleteAttendant, SetAttendant
from ringfence.server.site.attendants import Attendant, AttendantGreeting, Submenu, TryLimit
from ringfence.server.site.events import AttendantChanged, AttendantDeleted
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.merge import merge
from ringfence.server.store.opening import Opening
from ringfence.server.store.site_rows import write_holdings
from ringfence.server.store.store import Store
from ringfence.server.switch.reception import Reception

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

NIGHT: dict[str, Any] = {
    "name": "nacht",
    "extension": "210",
    "menu": {"1": "100", "2": "menu sales"},
    "submenus": [{"name": "sales", "menu": {"1": "101"}, "no_input": {"tries": 2}}],
    "greetings": [{"when": {"from": "external", "caller": ["+43*"]}, "say": ["welcome"], "early": True}],
    "overflow": "busy",
}


def sound(frequency_hz: int) -> bytes:
    file = io.BytesIO()
    tone = 0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(8000) / 8000)
    soundfile.write(file, tone, 8000, format="WAV")
    return file.getvalue()


async def test_an_attendant_is_made_read_changed_and_deleted(pbx: PbxUnderTest, client: Client) -> None:
    reply = await client.ask("PUT", "/api/v1/attendants/nacht", json=NIGHT)
    assert reply.status == 200, reply.body
    read = await client.get("attendants/nacht")
    assert {key: read[key] for key in ("name", "extension", "menu", "overflow")} == {
        key: NIGHT[key] for key in ("name", "extension", "menu", "overflow")
    }
    assert [one["name"] for one in await client.get("attendants")] == ["zentrale", "nacht"]
    desk = pbx.server.administration.directory.attendant("210")
    assert desk is not None
    assert desk.menus["main"].targets == {"1": ToNumber("100"), "2": ToMenu("sales")}
    reply = await client.ask("PUT", "/api/v1/attendants/nacht", json={**read, "extension": "211"})
    assert reply.status == 200, reply.body
    directory = pbx.server.administration.directory
    assert (directory.attendant("210"), directory.attendant("211") is None) == (None, False)
    assert (await client.ask("DELETE", "/api/v1/attendants/nacht")).status == 204
    assert pbx.server.administration.directory.attendant("211") is None
    assert (await client.refused("GET", "attendants/nacht"))[:2] == (404, "not_found")


async def test_a_change_is_told_and_a_dry_run_changes_nothing(pbx: PbxUnderTest, client: Client) -> None:
    reply = await client.ask("PUT", "/api/v1/attendants/nacht?dry_run=true", json=NIGHT)
    assert [one["event"] for one in reply.json["events"]] == ["attendant.changed"]
    assert len(pbx.server.site.attendants) == 1
    await client.ask("PUT", "/api/v1/attendants/nacht", json=NIGHT)
    await client.ask("PUT", "/api/v1/attendants/nacht", json=NIGHT)
    await client.ask("DELETE", "/api/v1/attendants/nacht")
    rows = (await client.get("audit?limit=1000"))["entries"]
    told = [(one["kind"], one["detail"]) for one in rows if one["kind"].startswith("attendant.")]
    assert told[::-1] == [
        ("attendant.changed", {"attendant": "nacht", "extension": "210", "is_new": True}),
        ("attendant.deleted", {"attendant": "nacht"}),
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"menu": {"1": "menu main"}, "submenus": []},
            'the menu "main" of the attendant "nacht" leads round in a circle',
        ),
        (
            {"menu": {"1": "menu x"}},
            'the menu "x" is not there (in the attendant "nacht"); use one of main, sales',
        ),
        ({"extension": "100"}, "in use by"),
        (
            {"greetings": [{"when": {"moon": "full"}}]},
            'the condition "moon" is not known (in the attendant "nacht")',
        ),
        (
            {"greetings": [{"when": {"hours": "open"}}]},
            "the condition asks for business hours, and there are none",
        ),
        ({"menu": {"1": "*999"}}, "nobody's mailbox"),
        ({"name": "tag"}, 'The field "name" does not fit: it is not "nacht", as in the path.'),
        ({"submenus": [{"name": "a\nb"}]}, 'has more than one menu "'),
        ({"mneu": {}}, 'The field "mneu" does not fit'),
        ({"menu": "100"}, 'The field "menu" does not fit'),
    ],
)
async def test_what_leads_nowhere_is_one_sentence_and_changes_nothing(
    pbx: PbxUnderTest, client: Client, changed: dict[str, object], sentence: str
) -> None:
    before = pbx.server.site
    status, reason, detail = await client.refused("PUT", "attendants/nacht", json={**NIGHT, **changed})
    assert (status, reason) == (422, "request.invalid")
    assert sentence.casefold() in detail.casefold()
    assert pbx.server.site is before


@pytest.mark.parametrize("name", ["a\nb", " ", "x" * 65])
async def test_a_name_that_cannot_be_shown_is_refused(pbx: PbxUnderTest, client: Client, name: str) -> None:
    path = f"attendants/{quote(name)}"
    status, reason, detail = await client.refused("PUT", path, json={**NIGHT, "name": name})
    assert (status, reason) == (422, "request.invalid")
    assert "has no name that can be shown; use 1 to 64 printable characters" in detail
    assert len(pbx.server.site.attendants) == 1


async def test_an_attendant_says_sounds_of_its_own_before_those_of_the_server(
    pbx: PbxUnderTest, client: Client
) -> None:
    house = Reception(pbx.server.administration, pbx.server.store.sounds)
    assert house.sounds("zentrale", ["welcome", "unheard-of"]) == (Prompt("welcome"),)
    path = "/api/v1/attendants/zentrale/sounds/welcome"
    reply = await client.ask("PUT", path, data=sound(700))
    assert reply.json == {"duration_s": 1.0, "text": None, "language": None}
    (own,) = house.sounds("zentrale", ["welcome"])
    assert isinstance(own, Clip)
    assert (await client.ask("GET", path)).headers["Content-Type"] == "audio/wav"
    assert [(one["name"], one["duration_s"]) for one in await client.get("attendants/zentrale/sounds")] == [
        ("welcome", 1.0)
    ]
    assert house.sounds("zentrale", []) == ()
    assert (await client.ask("DELETE", path)).status == 204
    assert house.sounds("zentrale", ["welcome"]) == (Prompt("welcome"),)
    assert (await client.refused("DELETE", "attendants/zentrale/sounds/welcome"))[0] == 404
    assert not own.path.exists()


async def test_a_sound_without_a_name_fit_for_one_or_that_is_none_is_refused(client: Client) -> None:
    status, reason, _ = await client.refused("PUT", "attendants/zentrale/sounds/a%20b", data=sound(700))
    assert (status, reason) == (422, "request.invalid")
    status, reason, _ = await client.refused(
        "PUT", "attendants/zentrale/sounds/..%2F..%2Fetc", data=sound(700)
    )
    assert (status, reason) == (422, "request.invalid")
    status, reason, _ = await client.refused("PUT", "attendants/zentrale/sounds/welcome", data=b"no sound")
    assert (status, reason) == (415, "sound.unreadable")
    assert await client.get("attendants/zentrale/sounds") == []


async def test_with_an_attendant_its_sounds_go(pbx: PbxUnderTest, client: Client) -> None:
    await client.ask("PUT", "/api/v1/attendants/nacht", json=NIGHT)
    for path in ("prompt", "sounds/welcome"):
        assert (await client.ask("PUT", f"/api/v1/attendants/nacht/{path}", data=sound(700))).status == 200
    assert len(list((pbx.server.store.folder / "sounds").glob("*.wav"))) == 2
    await client.ask("DELETE", "/api/v1/attendants/nacht")
    assert list((pbx.server.store.folder / "sounds").glob("*.wav")) == []


ATTENDANT = Attendant(
    "nacht",
    "210",
    {"1": "100"},
    no_input=TryLimit(2, "hang up"),
    greetings=(AttendantGreeting({"caller": ["+43*"]}, ("welcome",), early=True, then="menu sales"),),
    submenus=(Submenu("sales", {"1": "101"}),),
)
CHANGED = (Attendant("zentrale", "200", {"1": "102"}), ATTENDANT)


async def test_a_store_keeps_attendants_whole(pbx: PbxUnderTest, tmp_path: Path) -> None:
    """As acts change them, and beside the users of today."""
    site = pbx.server.site
    before, after = Holdings.of(site), replace(Holdings.of(site), site=replace(site, attendants=CHANGED))
    store = Store.open(tmp_path / "data", Opening(site, at=0))
    await store.unit.run(lambda connection: write_holdings(connection, before, after))
    store.close()
    again = Store.open(tmp_path / "data", Opening(None, at=0))
    again.close()
    assert again.holdings.site.attendants == CHANGED


def test_a_file_that_is_applied_wins_for_those_it_names_and_leaves_those_that_no_file_had() -> None:
    site = read_site("small")
    other = replace(site.attendants[0], menu={"1": "102"})
    held = Holdings.of(site)
    held = replace(held, site=replace(site, attendants=(other, ATTENDANT)))
    assert merge(held, site).holdings.site.attendants == (*site.attendants, ATTENDANT)
    without = replace(site, attendants=())
    assert merge(held, without).holdings.site.attendants == (ATTENDANT,)


async def test_the_acts_tell_events(pbx: PbxUnderTest) -> None:
    administration = pbx.server.administration
    made = await administration.apply(SetAttendant(ATTENDANT), actor="test")
    moved = await administration.apply(SetAttendant(replace(ATTENDANT, extension="211")), actor="test")
    same = await administration.apply(SetAttendant(replace(ATTENDANT, extension="211")), actor="test")
    gone = await administration.apply(DeleteAttendant("nacht"), actor="test")
    assert [tuple(outcome.events) for outcome in (made, moved, same, gone)] == [
        (AttendantChanged("nacht", "210", is_new=True),),
        (AttendantChanged("nacht", "211", is_new=False),),
        (),
        (AttendantDeleted("nacht"),),
    ]
