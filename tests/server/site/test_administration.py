from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.features.telephone.settings import Forward
from ringfence.features.voicemail.pin import is_pin
from ringfence.licensing.gate import Granted
from ringfence.licensing.modes import ComplianceChanged
from ringfence.licensing.refusal import Refusal
from ringfence.server.site.acts import MoveUser, SwitchFunctions
from ringfence.server.site.administration import Administration, Change
from ringfence.server.site.events import (
    FunctionsSwitched,
    LicenceAssigned,
    LicenceDisplaced,
    LicenceReleased,
    PinMade,
    SettingsDeleted,
    SiteEvent,
    UserMoved,
    WaitingUserServed,
)
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.require import AdministrationError

if TYPE_CHECKING:
    from ringfence.server.site.site import Site, User

NOW = 1_700_000_000.0
MOMENT = datetime.fromtimestamp(NOW, UTC)


@dataclass
class Paper:
    """A ledger in memory that can hold a write up, or fail it."""

    entries: list[Change] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def record(self, change: Change) -> None:
        self.reached.set()
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        self.entries.append(change)


@pytest.fixture
def heard() -> list[SiteEvent]:
    return []


@pytest.fixture
def paper() -> Paper:
    paper = Paper()
    paper.open.set()
    return paper


@pytest.fixture
async def desk(site: Site, paper: Paper, heard: list[SiteEvent]) -> Administration:
    desk = Administration(Holdings.of(site), paper, heard.append, random=Random(7), clock=lambda: NOW)
    await desk.start()
    heard.clear()
    paper.entries.clear()
    paper.reached.clear()
    return desk


def user(desk: Administration, name: str) -> User:
    found = desk.directory.by_name(name)
    assert found is not None
    return found


async def test_voicemail_users_without_a_pin_get_one_that_repeats_with_the_seed(site: Site) -> None:
    pins = []
    for _ in range(2):
        heard: list[SiteEvent] = []
        desk = Administration(Holdings.of(site), None, heard.append, random=Random(7), clock=lambda: NOW)
        await desk.start()
        pins.append([one.voicemail_pin for one in desk.directory.users])
        assert heard == [
            PinMade("ben"),
            PinMade("clara"),
            ComplianceChanged("office", True, MOMENT, 1),
            ComplianceChanged("office_plus", True, MOMENT, 1),
        ]
    assert pins[0] == pins[1]
    assert pins[0][0] == "8264"
    assert all(is_pin(pin or "") for pin in pins[0])


async def test_a_freed_seat_goes_to_the_next_user_in_order(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """L-05, L-06, L-48"""
    assert isinstance(desk.gate.may("ben", "softphone"), Refusal)
    await desk.apply(MoveUser("anna", "Ulm", "Lager"))
    assert (user(desk, "anna").location, user(desk, "anna").group) == ("Ulm", "Lager")
    assert heard == [
        UserMoved("anna", "Ulm", "Plus", "Ulm", "Lager"),
        SettingsDeleted("anna", "voicemail", ("voicemail_pin", "forward.busy")),
        LicenceReleased("anna", "office"),
        LicenceReleased("anna", "office_plus"),
        LicenceReleased("anna", "voicemail"),
        LicenceAssigned("ben", "office"),
        LicenceAssigned("ben", "office_plus"),
        WaitingUserServed("ben", ("office", "office_plus")),
        ComplianceChanged("office", False, MOMENT, 0),
        ComplianceChanged("office_plus", False, MOMENT, 0),
    ]
    assert desk.gate.may("ben", "softphone") == Granted()
    assert user(desk, "anna").forward == Forward(no_answer="101", after_s=15)


async def test_returning_displaces_the_later_user_and_does_not_bring_settings_back(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """L-08, A-02"""
    await desk.apply(MoveUser("anna", "Ulm", "Lager"))
    heard.clear()
    await desk.apply(MoveUser("anna", "Ulm", "Plus"))
    anna = user(desk, "anna")
    assert LicenceDisplaced("ben", "office_plus", "anna") in heard
    assert PinMade("anna") in heard
    assert anna.voicemail_pin not in {None, "8264"}
    assert anna.forward == Forward(no_answer="101", after_s=15)


async def test_switching_a_function_off_releases_the_licences_of_all_its_users_at_once(
    desk: Administration, heard: list[SiteEvent], paper: Paper
) -> None:
    """L-04"""
    await desk.apply(SwitchFunctions("Ulm", "Plus", frozenset({"softphone"})))
    assert heard[0] == FunctionsSwitched("Ulm", "Plus", frozenset({"softphone"}))
    assert {event.user for event in heard if isinstance(event, LicenceReleased)} == {"anna", "ben"}
    (change,) = paper.entries
    assert (change.after, change.events) == (desk.holdings, tuple(heard))
    assert (change.actor, change.at) == ("administrator", NOW)


async def test_a_locations_functions_reach_the_users_without_a_list_of_their_own(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    await desk.apply(SwitchFunctions("Ulm", None, frozenset()))
    assert SettingsDeleted("clara", "voicemail", ("voicemail_pin",)) in heard
    assert user(desk, "anna").voicemail_pin == "8264"


async def test_a_group_can_inherit_again(desk: Administration) -> None:
    await desk.apply(SwitchFunctions("Ulm", "Plus", None))
    assert desk.directory.functions_of(user(desk, "anna")) == {"voicemail"}


async def test_what_changes_nothing_writes_and_tells_nothing(
    desk: Administration, heard: list[SiteEvent], paper: Paper
) -> None:
    await desk.apply(MoveUser("anna", "Ulm", "Plus"))
    await desk.apply(SwitchFunctions("Ulm", None, frozenset({"voicemail"})))
    await desk.apply(SwitchFunctions("Ulm", "Erbe", None))
    assert heard == []
    assert paper.entries == []


async def test_a_change_counts_only_once_it_is_written(
    desk: Administration, heard: list[SiteEvent], paper: Paper
) -> None:
    paper.open.clear()
    change = asyncio.ensure_future(desk.apply(MoveUser("anna", "Ulm", "Lager")))
    await paper.reached.wait()
    assert user(desk, "anna").group == "Plus"
    assert heard == []
    paper.open.set()
    await change
    assert user(desk, "anna").group == "Lager"


async def test_a_change_whose_caller_gave_up_is_still_carried_out(desk: Administration, paper: Paper) -> None:
    paper.open.clear()
    change = asyncio.ensure_future(desk.apply(MoveUser("anna", "Ulm", "Lager")))
    await paper.reached.wait()
    change.cancel()
    with pytest.raises(asyncio.CancelledError):
        await change
    paper.open.set()
    await desk.apply(MoveUser("ben", "Bonn"))
    assert user(desk, "anna").group == "Lager"


async def test_a_write_that_fails_changes_nothing(
    desk: Administration, heard: list[SiteEvent], paper: Paper
) -> None:
    paper.failure = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await desk.apply(MoveUser("anna", "Ulm", "Lager"))
    assert user(desk, "anna").group == "Plus"
    assert heard == []


async def test_concurrent_changes_build_on_each_other(desk: Administration) -> None:
    await asyncio.gather(
        desk.apply(MoveUser("anna", "Ulm", "Lager")), desk.apply(MoveUser("ben", "Ulm", "Lager"))
    )
    assert [user.group for user in desk.directory.users] == ["Lager", "Lager", None]


@pytest.mark.parametrize(
    ("place", "reason", "sentence"),
    [
        (("ana", "Ulm", None), "not_found", 'the user "ana" is not there; did you mean "anna"?'),
        (("anna", "Um", None), "request.invalid", 'the location "Um" is not there; did you mean "Ulm"?'),
        (
            ("anna", "Bonn", "Plus"),
            "request.invalid",
            'the group "Plus" is not there in "Bonn"; use the name of a group',
        ),
    ],
)
async def test_a_move_to_nowhere_is_refused_with_a_remedy(
    desk: Administration, place: tuple[str, str, str | None], reason: str, sentence: str
) -> None:
    with pytest.raises(AdministrationError) as caught:
        await desk.apply(MoveUser(*place))
    assert caught.value.reason == reason
    assert caught.value.sentence.startswith(sentence)


async def test_functions_and_places_must_be_known(desk: Administration) -> None:
    with pytest.raises(
        AdministrationError, match=r'"softfone" cannot be switched on; did you mean "softphone"\?'
    ):
        await desk.apply(SwitchFunctions("Ulm", None, frozenset({"softfone"})))
    with pytest.raises(AdministrationError, match='"tapi_line" cannot be switched on'):
        await desk.apply(SwitchFunctions("Ulm", None, frozenset({"tapi_line"})))
    with pytest.raises(AdministrationError, match="not there") as caught:
        await desk.apply(SwitchFunctions("Nirgends", "Plus", frozenset()))
    assert caught.value.reason == "not_found"


async def test_what_if_makes_no_change(desk: Administration, heard: list[SiteEvent]) -> None:
    result = desk.what_if(MoveUser("clara", "Ulm", "Plus"), add={"office_plus": 1})
    assert [one.user for one in result.users] == ["ben"]
    assert heard == []
    assert user(desk, "clara").group is None
