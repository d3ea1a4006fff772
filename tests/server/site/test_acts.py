from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.features.telephone.settings import Forward
from ringfence.licensing.gate import Granted
from ringfence.licensing.package import PackageError
from ringfence.server.site import acts, events
from ringfence.server.site.administration import Administration
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.require import AdministrationError, LineRefusedError
from ringfence.server.site.site import Setting

from ..issued import issued

if TYPE_CHECKING:
    from ringfence.server.site.acts import Act
    from ringfence.server.site.events import SiteEvent
    from ringfence.server.site.site import Site

NOW = 1_700_000_000.0


class Calendar:
    """A clock that a test sets."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def heard() -> list[SiteEvent]:
    return []


@pytest.fixture
async def desk(site: Site, heard: list[SiteEvent], calendar: Calendar) -> Administration:
    desk = Administration(Holdings.of(site), None, heard.append, random=Random(7), clock=calendar)
    await desk.start()
    heard.clear()
    return desk


def seqs(desk: Administration) -> dict[str, int]:
    return {user.name: user.seq for user in desk.directory.users}


def settings_of(desk: Administration, name: str) -> tuple[Setting, ...]:
    user = desk.directory.by_name(name)
    assert user is not None
    return user.settings


async def test_a_new_user_gets_the_next_number_and_what_his_place_has_on(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """A-01, L-01"""
    await desk.apply(acts.CreateUser("dora", "Ulm", "103", "d-4", group="Plus", forward=Forward(busy="*103")))
    dora = desk.directory.by_name("dora")
    assert dora is not None
    assert (dora.seq, dora.display_name) == (4, "dora")
    assert dora.voicemail_pin is not None
    assert heard[:2] == [events.UserCreated("dora", 4, "Ulm", "Plus"), events.PinMade("dora")]


async def test_a_number_that_was_given_once_never_comes_back(desk: Administration) -> None:
    """A-01"""
    await desk.apply(acts.CreateUser("dora", "Ulm", "103", "d"), acts.DeleteUser("dora"))
    await desk.apply(acts.DeleteUser("clara"))
    await desk.apply(acts.CreateUser("clara", "Ulm", "102", "c"))
    assert seqs(desk) == {"anna": 1, "ben": 2, "clara": 5}


async def test_deleting_a_user_serves_the_next_and_tells_what_went_with_him(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """L-48"""
    await desk.apply(acts.DeleteUser("anna"))
    assert heard[:2] == [
        events.UserDeleted("anna", 1),
        events.SettingsDeleted("anna", "voicemail", ("voicemail_pin", "forward.busy")),
    ]
    assert events.SettingsDeleted("anna", "telephone", ("forward.no_answer", "forward.after_s")) in heard
    assert events.WaitingUserServed("ben", ("office", "office_plus")) in heard
    assert desk.gate.may("ben", "softphone") == Granted()
    assert desk.directory.site.teams[0].members == ()


async def test_a_user_is_changed_without_telling_secrets(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    await desk.apply(
        acts.ChangeUser("ben", {"display_name": "Ben B.", "password": "n-1", "extension": "101"})
    )
    ben = desk.directory.by_name("ben")
    assert ben is not None
    assert (ben.display_name, ben.password, ben.seq) == ("Ben B.", "n-1", 2)
    assert heard == [events.UserChanged("ben", ("display_name", "password"))]


async def test_two_users_exchange_their_numbers_in_one_change(desk: Administration) -> None:
    await desk.apply(
        acts.ChangeUser("ben", {"extension": "102"}), acts.ChangeUser("clara", {"extension": "101"})
    )
    assert [user.extension for user in desk.directory.users] == ["100", "102", "101"]


async def test_a_features_setting_is_kept_and_goes_with_its_function(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """L-06, L-08"""
    await desk.apply(acts.SetSetting("clara", "voicemail", "greeting", {"file": "7.wav"}))
    assert settings_of(desk, "clara") == (Setting("voicemail", "greeting", {"file": "7.wav"}),)
    assert heard == [events.SettingChanged("clara", "voicemail", "greeting", False)]
    await desk.apply(acts.MoveUser("clara", "Bonn"))
    assert events.SettingsDeleted("clara", "voicemail", ("voicemail_pin", "greeting")) in heard
    await desk.apply(acts.MoveUser("clara", "Ulm"))
    assert settings_of(desk, "clara") == ()


async def test_a_setting_is_deleted_by_none(desk: Administration) -> None:
    await desk.apply(acts.SetSetting("clara", "voicemail", "greeting", {"file": "7.wav"}))
    await desk.apply(acts.SetSetting("clara", "voicemail", "greeting", None))
    assert settings_of(desk, "clara") == ()


async def test_a_duplicate_of_a_location_has_its_settings_and_no_user_and_consumes_nothing(
    desk: Administration,
) -> None:
    """L-63, L-64"""
    before = desk.allocation
    await desk.apply(acts.DuplicateLocation("Ulm", "Neu-Ulm"))
    ulm, _, copy = desk.directory.locations
    assert (copy.name, copy.functions, copy.groups) == ("Neu-Ulm", ulm.functions, ulm.groups)
    assert copy.contingent == {}
    assert desk.allocation == before


async def test_locations_and_groups_come_and_go(desk: Administration, heard: list[SiteEvent]) -> None:
    await desk.apply(
        acts.CreateLocation("Wien", frozenset({"cti"})),
        acts.CreateGroup("Wien", "Partner"),
        acts.CreateGroup("Wien", "Lager", frozenset()),
    )
    await desk.apply(acts.DeleteGroup("Wien", "Partner"))
    assert [group.name for group in desk.directory.locations[-1].groups] == ["Lager"]
    await desk.apply(acts.DeleteLocation("Wien"))
    assert [location.name for location in desk.directory.locations] == ["Ulm", "Bonn"]
    assert heard == [
        events.LocationCreated("Wien", None, frozenset({"cti"})),
        events.GroupCreated("Wien", "Partner", None),
        events.GroupCreated("Wien", "Lager", frozenset()),
        events.GroupDeleted("Wien", "Partner"),
        events.LocationDeleted("Wien"),
    ]


async def test_many_acts_are_one_change_and_count_all_or_none(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    moves = [acts.MoveUser(name, "Ulm", "Lager") for name in ("anna", "ben", "clara")]
    with pytest.raises(AdministrationError, match='"dora" is not there'):
        await desk.apply(*moves, acts.MoveUser("dora", "Ulm"))
    assert heard == []
    assert [user.group for user in desk.directory.users] == ["Plus", "Plus", None]
    await desk.apply(*moves)
    assert [user.group for user in desk.directory.users] == ["Lager"] * 3


async def test_a_package_adds_to_what_was_bought_and_serves_who_waited(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """L-11, L-46"""
    data = issued("p-1", office_plus=1, voicemail=2)
    await desk.apply(acts.ImportPackage(data))
    assert heard == [
        events.PackageImported("p-1", {"office_plus": 1, "voicemail": 2}),
        events.EntitlementChanged("office_plus", 1, 2),
        events.EntitlementChanged("voicemail", 3, 5),
        events.LicenceAssigned("ben", "office"),
        events.LicenceAssigned("ben", "office_plus"),
        events.WaitingUserServed("ben", ("office", "office_plus")),
        *heard[-2:],
    ]
    assert desk.holdings.packages[0].package.data == data
    heard.clear()
    assert (await desk.apply(acts.ImportPackage(data))).events == ()


async def test_a_package_that_does_not_count_is_not_imported(desk: Administration) -> None:
    data = issued("p-1", office=1)
    for bad, reason in (
        (data[:-2], "package.invalid"),
        (data.replace(b'"office":1', b'"office":2'), "package.signature"),
        (issued("p-2", until="2021-01-01", office=1), "package.expired"),
    ):
        with pytest.raises(PackageError) as caught:
            await desk.apply(acts.ImportPackage(bad))
        assert caught.value.reason == reason
    assert desk.holdings.packages == ()


async def test_another_package_of_the_same_id_is_refused(desk: Administration) -> None:
    await desk.apply(acts.ImportPackage(issued("p-1", office=1)))
    with pytest.raises(AdministrationError, match='another package with the id "p-1" was imported before'):
        await desk.apply(acts.ImportPackage(issued("p-1", office=2)))


async def test_a_package_that_expires_has_no_effect_from_that_instant_on(
    desk: Administration, heard: list[SiteEvent], calendar: Calendar
) -> None:
    await desk.apply(acts.ImportPackage(issued("p-1", until="2023-11-30", office_plus=1)))
    until = desk.gate.valid_until
    assert until is not None
    assert (until.isoformat(), desk.gate.may("ben", "softphone")) == ("2023-12-01T00:00:00+00:00", Granted())
    heard.clear()
    calendar.now = until.timestamp()
    await desk.refresh()
    assert heard[:5] == [
        events.PackageExpiring("p-1", 7, "2023-11-30"),
        events.PackageExpiring("p-1", 1, "2023-11-30"),
        events.PackageExpired("p-1"),
        events.EntitlementChanged("office_plus", 2, 1),
        events.LicenceDisplaced("ben", "office", None),
    ]
    assert desk.gate.may("ben", "softphone") != Granted()
    desk.stop()


async def test_the_instant_is_noticed_without_being_asked(
    site: Site, heard: list[SiteEvent], calendar: Calendar
) -> None:
    expired = asyncio.Event()
    desk = Administration(
        Holdings.of(site),
        None,
        lambda event: expired.set() if event == events.EntitlementChanged("office", 1, 0) else None,
        random=Random(7),
        clock=calendar,
    )
    await desk.start()
    calendar.now = 1_701_388_799.999  # a thousandth before the first of December
    await desk.apply(acts.ImportPackage(issued("p-1", until="2023-11-30", office=1)))
    calendar.now += 0.001
    await expired.wait()
    assert desk.entitlement.bought["office"] == 0
    desk.stop()


async def test_a_line_takes_a_licence_by_its_first_use_keeps_it_and_gives_it_back(
    desk: Administration, heard: list[SiteEvent]
) -> None:
    """L-09, V12"""
    await desk.apply(acts.ImportPackage(issued("p-1", tapi_line=1)))
    heard.clear()
    await desk.apply(acts.BindLine("100"))
    await desk.apply(acts.BindLine("100"))
    with pytest.raises(LineRefusedError, match="Every TAPI Line licence is bound") as caught:
        await desk.apply(acts.BindLine("101"))
    assert caught.value.reason == "license.tapi_line.exhausted"
    assert caught.value.refusal.facts["holders"] == ("100",)
    assert (desk.lines.bound, desk.lines.asked) == (("100",), ("101",))
    await desk.apply(acts.ReleaseLine("100"))
    await desk.apply(acts.BindLine("101"))
    assert (desk.lines.bound, desk.lines.asked) == (("101",), ())
    reached = events.LimitReached("tapi_line", 1)
    assert heard == [
        events.LineBound("100"),
        reached,
        events.LineReleased("100"),
        events.LineBound("101"),
        reached,
    ]


@pytest.mark.parametrize(
    ("act", "reason", "sentence"),
    [
        (
            acts.CreateUser("anna", "Ulm", "107", "x"),
            "request.invalid",
            'the user "anna" is there already; use',
        ),
        (
            acts.CreateUser("dora", "Um", "107", "x"),
            "request.invalid",
            'the location "Um" is not there; did you',
        ),
        (acts.CreateUser("dora", "Ulm", "100", "x"), "request.invalid", "100 of the user"),
        (acts.CreateUser("12", "Ulm", "107", "x"), "request.invalid", 'the user name "12" is a number; use'),
        (acts.CreateUser("ANNA", "Ulm", "107", "x"), "request.invalid", "differ by case only; rename"),
        (
            acts.ChangeUser("ben", {"seq": 1}),
            "request.invalid",
            'the field "seq" cannot be changed; use some of',
        ),
        (acts.ChangeUser("ben", {"voicemail_pin": "1234"}), "request.invalid", 'of "ben" is not a PIN; use'),
        (acts.ChangeUser("bn", {}), "not_found", 'the user "bn" is not there; did you mean "ben"?'),
        (acts.DeleteUser("dora"), "not_found", 'the user "dora" is not there;'),
        (
            acts.SetSetting("ben", "fax", "x", 1),
            "request.invalid",
            'the function "fax" is not on for "ben"; switch',
        ),
        (
            acts.CreateLocation("Ulm"),
            "request.invalid",
            'the location "Ulm" is there already; use another name',
        ),
        (acts.CreateLocation(" "), "request.invalid", "a location has no name; write one"),
        (acts.DuplicateLocation("Um", "X"), "not_found", 'the location "Um" is not there;'),
        (
            acts.DeleteLocation("Ulm"),
            "request.invalid",
            'the location "Ulm" still has 3 users, as "anna"; move or delete them first',
        ),
        (acts.CreateGroup("Ulm", "Plus"), "request.invalid", 'the group "Plus" is in "Ulm" already; use'),
        (acts.DeleteGroup("Ulm", "Plus"), "request.invalid", 'the group "Plus" of "Ulm" still has 2 users'),
        (acts.DeleteGroup("Ulm", "Pls"), "not_found", 'the group "Pls" is not there in "Ulm"; did you mean'),
        (
            acts.SwitchFunctions("Ulm", None, None),
            "request.invalid",
            "nobody to inherit from; give its functions",
        ),
        (acts.ReleaseLine("100"), "not_found", 'the line "100" holds no TAPI licence; name one'),
    ],
)
async def test_what_cannot_be_done_is_one_sentence_with_a_remedy(
    desk: Administration, heard: list[SiteEvent], act: Act, reason: str, sentence: str
) -> None:
    before = desk.holdings
    with pytest.raises(AdministrationError) as caught:
        await desk.apply(act)
    assert caught.value.reason == reason
    assert sentence in caught.value.sentence
    assert desk.holdings is before
    assert heard == []


async def test_what_a_deletion_leaves_dangling_does_not_stop_later_changes(desk: Administration) -> None:
    await desk.apply(acts.ChangeUser("clara", {"forward": Forward(busy="*101")}))
    await desk.apply(acts.DeleteUser("ben"))
    await desk.apply(acts.CreateUser("dora", "Ulm", "103", "d"))
    assert list(seqs(desk)) == ["anna", "clara", "dora"]
