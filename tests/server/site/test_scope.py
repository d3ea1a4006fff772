"""What a sub-administrator may do, act by act (L-61 to L-63)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, get_args

import pytest

from ringfence.fixtures import store_load as load
from ringfence.server.site import acts
from ringfence.server.site.administration import Administration
from ringfence.server.site.attendants import Attendant
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.require import AdministrationError

if TYPE_CHECKING:
    from ringfence.server.site.acts import Act

BONN = frozenset({"Bonn"})
INSIDE: list[Act] = [
    acts.CreateUser("n1", "Bonn", "2001", "secret"),
    acts.ChangeUser("bonner", {"display_name": "B"}),
    acts.MoveUser("bonner", "Bonn", "Plus"),
    acts.DeleteUser("bonner"),
    acts.SetSetting("bonner", "voicemail", "greeting", {"file": "7.wav"}),
    acts.CreateGroup("Bonn", "G"),
    acts.DeleteGroup("Bonn", "Lager"),
    acts.SwitchFunctions("Bonn", None, frozenset()),
    acts.SwitchFunctions("Bonn", "Plus", None),
]
OUTSIDE: list[Act] = [
    acts.CreateUser("n1", "Ulm", "2001", "secret"),
    acts.ChangeUser("u1", {"display_name": "B"}),
    acts.MoveUser("u1", "Bonn"),
    acts.MoveUser("bonner", "Ulm"),
    acts.DeleteUser("u1"),
    acts.SetSetting("u1", "voicemail", "greeting", {"file": "7.wav"}),
    acts.CreateGroup("Ulm", "G"),
    acts.DeleteGroup("Ulm", "Lager"),
    acts.SetAttendant(Attendant("zentrale", "200")),
    acts.DeleteAttendant("zentrale"),
    acts.SwitchFunctions("Ulm", "Plus", None),
    acts.CreateLocation("O"),
    acts.DuplicateLocation("Bonn", "O"),
    acts.DeleteLocation("Bonn"),
    acts.ImportPackage(load.package(1, office=1)),
    acts.BindLine("1000"),
    acts.ReleaseLine("1000"),
]


def test_every_act_is_looked_at() -> None:
    assert {type(act) for act in (*INSIDE, *OUTSIDE)} == set(get_args(acts.Act))


@pytest.fixture
async def desk() -> Administration:
    """Twelve users in Ulm, and one in Bonn."""
    held = Holdings.of(load.site())
    made = Administration(held, None, lambda _: None, random=Random(1), clock=lambda: load.AT)
    await made.apply(acts.CreateUser("bonner", "Bonn", "2000", "secret"))
    return made


@pytest.mark.parametrize("act", INSIDE, ids=lambda act: type(act).__name__)
async def test_l62_what_stays_inside_is_done(desk: Administration, act: Act) -> None:
    assert (await desk.apply(act, within=BONN)).events


@pytest.mark.parametrize("act", OUTSIDE, ids=lambda act: type(act).__name__)
async def test_l62_l63_what_reaches_beyond_is_forbidden(desk: Administration, act: Act) -> None:
    before = desk.holdings
    with pytest.raises(AdministrationError) as caught:
        await desk.apply(acts.ChangeUser("bonner", {"display_name": "B"}), act, within=BONN)
    assert caught.value.reason == "auth.forbidden"
    assert desk.holdings is before


async def test_l62_who_has_just_been_moved_away_is_no_longer_his(desk: Administration) -> None:
    """The rule is looked at when the turn of an act comes, not when it was asked for."""
    with pytest.raises(AdministrationError, match='the user "u1" is not of Bonn'):
        await desk.apply(acts.DeleteUser("u1"), within=BONN)
    await desk.apply(acts.MoveUser("u1", "Bonn"))
    await desk.apply(acts.DeleteUser("u1"), within=BONN)
    assert desk.directory.by_name("u1") is None
