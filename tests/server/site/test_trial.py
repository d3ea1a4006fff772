from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.licensing.package import PackageError
from ringfence.server.site.acts import CreateUser, DeleteUser, ImportPackage, MoveUser, SwitchFunctions
from ringfence.server.site.draft import Draft
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.require import AdministrationError
from ringfence.server.site.standing import Standing, stand
from ringfence.server.site.trial import try_out

from ..issued import issued

if TYPE_CHECKING:
    from ringfence.server.site.site import Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def standing(site: Site) -> Standing:
    return stand(Holdings.of(site), NOW.timestamp())[0]


def test_a_move_shows_who_gains_and_whose_settings_would_be_deleted(standing: Standing) -> None:
    """L-06, L-48"""
    result = try_out(standing, MoveUser("anna", "Ulm", "Lager"))
    anna, ben = result.users
    assert (anna.user, anna.licences_lost) == ("anna", ("office", "office_plus", "voicemail"))
    assert "voicemail" in anna.settings_deleted
    assert (ben.user, ben.functions_gained) == ("ben", ("softphone",))


def test_buying_more_serves_the_next_in_order(standing: Standing) -> None:
    assert [one.user for one in try_out(standing, add={"office_plus": 1}).users] == ["ben"]


def test_switching_a_function_and_deleting_a_user_are_told_for_all_whom_it_touches(
    standing: Standing,
) -> None:
    """L-04, L-48"""
    off = try_out(standing, SwitchFunctions("Ulm", None, frozenset()))
    assert [(one.user, one.functions_lost) for one in off.users] == [("clara", ("voicemail",))]
    gone = try_out(standing, DeleteUser("anna"))
    assert [(one.user, one.functions_gained) for one in gone.users][1] == ("ben", ("softphone",))


def test_whoever_comes_back_under_his_name_stands_at_the_end_of_the_order(standing: Standing) -> None:
    """A-01"""
    again = CreateUser("anna", "Ulm", "100", "new", group="Plus")
    result = try_out(standing, DeleteUser("anna"), again)
    assert "office_plus" not in result.after.assigned("anna")
    assert "office_plus" in result.after.assigned("ben")


def test_a_package_is_tried_with_the_check_of_an_import_and_until_it_expires(standing: Standing) -> None:
    package = ImportPackage(issued("more", until="2026-03-31", office_plus=1))
    assert [one.user for one in try_out(standing, package).users] == ["ben"]
    assert try_out(standing, package, at=datetime(2026, 4, 1, tzinfo=UTC)).users == ()
    with pytest.raises(PackageError, match="expired"):
        try_out(standing, ImportPackage(issued("old", until="2026-02-01", office_plus=1)))


def test_the_moment_at_which_a_stored_package_expires_can_be_looked_at(site: Site) -> None:
    draft = Draft(Holdings.of(site), NOW.timestamp())
    draft.make(ImportPackage(issued("more", until="2026-03-31", office_plus=1)))
    standing = stand(draft.holdings(), NOW.timestamp())[0]
    result = try_out(standing, at=datetime(2026, 4, 1, tzinfo=UTC))
    assert [(one.user, one.functions_lost) for one in result.users] == [("ben", ("softphone",))]


def test_what_a_mode_tolerates_is_no_loss(site: Site) -> None:
    lenient = replace(site, licensing=replace(site.licensing, mode="warn"))
    standing = stand(Holdings.of(lenient), NOW.timestamp())[0]
    (anna,) = try_out(standing, add={"office_plus": -1}).users
    assert (anna.licences_lost, anna.functions_lost) == (("office", "office_plus"), ())


@pytest.mark.parametrize(
    ("acts", "add", "reason", "sentence"),
    [
        ([], {"offis": 1}, "request.invalid", 'the licence "offis" is not known; did you mean "office"?'),
        (
            [],
            {"office_plus": -2},
            "request.invalid",
            "2 of office_plus cannot be given back; no more than 1 are bought beside the packages",
        ),
        (
            [MoveUser("ana", "Ulm")],
            {},
            "not_found",
            'the user "ana" is not there; did you mean "anna"?',
        ),
        (
            [MoveUser("anna", "Um")],
            {},
            "request.invalid",
            'the location "Um" is not there; did you mean "Ulm"?',
        ),
        (
            [MoveUser("anna", "Ulm", "Pls")],
            {},
            "request.invalid",
            'the group "Pls" is not there in "Ulm"; did you mean "Plus"?',
        ),
    ],
)
def test_what_is_not_there_cannot_be_tried(
    standing: Standing, acts: list[Any], add: dict[str, int], reason: str, sentence: str
) -> None:
    with pytest.raises(AdministrationError) as caught:
        try_out(standing, *acts, add=add)
    assert (caught.value.reason, caught.value.sentence) == (reason, sentence)
