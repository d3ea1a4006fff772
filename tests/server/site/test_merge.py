from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.licensing.package import read
from ringfence.server.site.directory import Directory
from ringfence.server.site.events import SiteMerged, UserCreated
from ringfence.server.site.holdings import BoundLine, Holdings, StoredPackage, peopled
from ringfence.server.site.merge import merge
from ringfence.server.site.personal import Deletion
from ringfence.server.site.site import Setting, Site, SiteError

from ..issued import issued

NEWCOMERS = """
[[user]]
name = "dora"
location = "Bonn"
extension = "103"
password = "d-4"
[[user]]
name = "aaron"
location = "Ulm"
extension = "104"
password = "e-5"
"""
ANNA = """[[user]]
name = "anna"
location = "Ulm"
group = "Plus"
extension = "100"
password = "a-1"
fax_number = "1100"
voicemail_pin = "8264"
forward = { busy = "*100", no_answer = "101", after_s = 15 }
"""


def held(site: Site, highest_seq: int = 3) -> Holdings:
    return replace(Holdings.of(site), highest_seq=highest_seq)


def test_new_users_get_the_next_numbers_in_file_order(site: Site, text: str) -> None:
    merged = merge(held(site, 7), Site.parse(NEWCOMERS + text, "new.toml"))
    assert [(user.name, user.seq) for user in merged.holdings.site.users] == [
        ("anna", 1),
        ("ben", 2),
        ("clara", 3),
        ("dora", 8),
        ("aaron", 9),
    ]
    assert merged.added == ("dora", "aaron")
    assert merged.changed == ()


def test_users_missing_from_the_file_stay_with_their_place(site: Site, text: str) -> None:
    gone = text.replace(ANNA, "").replace('members = ["anna"]', "").replace('"1" = "100", ', "")
    file = Site.parse(
        gone.replace('[[location.group]]\nname = "Plus"', '[[location.group]]\nname = "Neu"').replace(
            'group = "Plus"', 'group = "Neu"'
        )
    )
    merged = merge(held(site), file)
    assert merged.kept == ("anna",)
    assert merged.changed == ("ben",)
    assert Directory(merged.holdings.site).functions_of(merged.holdings.site.users[0]) == {
        "softphone",
        "voicemail",
    }


def test_a_location_missing_from_the_file_stays(site: Site, text: str) -> None:
    stored = replace(site, users=(replace(site.users[0], location="Bonn", group=None), *site.users[1:]))
    file = Site.parse(
        text.replace('[[location]]\nname = "Bonn"\n', "").replace(ANNA, "").replace('members = ["anna"]', "")
    )
    merged = merge(held(stored), file)
    assert [location.name for location in merged.holdings.site.locations] == ["Ulm", "Bonn"]


def test_what_the_file_names_wins_and_a_pin_that_it_does_not_name_stays(site: Site, text: str) -> None:
    stored = replace(site, users=(site.users[0], replace(site.users[1], voicemail_pin="4927"), site.users[2]))
    file = Site.parse(
        text.replace('password = "b-2"', 'password = "new"').replace("office_plus = 1", "office_plus = 2")
    )
    merged = merge(held(stored), file)
    ben = merged.holdings.site.users[1]
    assert (ben.password, ben.voicemail_pin, ben.seq) == ("new", "4927", 2)
    assert merged.holdings.site.entitlements["office_plus"] == 2
    assert merged.changed == ("ben",)


def test_settings_of_functions_that_the_file_switches_off_are_deleted_and_listed(
    site: Site, text: str
) -> None:
    """L-06"""
    file = Site.parse(text.replace('["softphone", "voicemail"]', '["softphone"]'))
    merged = merge(held(site), file)
    assert merged.deletions == (Deletion("anna", "voicemail", ("voicemail_pin", "forward.busy")),)
    assert merged.holdings.site.users[0].voicemail_pin is None


def test_a_new_user_with_the_number_of_one_who_stays_is_refused(site: Site, text: str) -> None:
    file = text.replace(ANNA, "").replace('members = ["anna"]', "") + NEWCOMERS.replace("104", "100")
    with pytest.raises(
        SiteError, match=r"extension 100 .*\(users whom the file does not name stay\); give one"
    ):
        merge(held(site), Site.parse(file, "new.toml"))


def test_merging_the_same_file_changes_nothing(site: Site) -> None:
    merged = merge(held(site), site)
    assert merged.holdings.site == site
    assert (merged.added, merged.changed, merged.kept, merged.deletions) == ((), (), (), ())


def test_packages_lines_and_a_features_settings_stay(site: Site, text: str) -> None:
    """L-09"""
    ben = replace(site.users[1], settings=(Setting("voicemail", "greeting", "7.wav"),))
    stored = replace(
        held(replace(site, users=(site.users[0], ben, site.users[2]))),
        packages=(StoredPackage(read(issued("p-1", office=1)), 1.0),),
        lines=(BoundLine("100", 2.0),),
    )
    merged = merge(stored, Site.parse(text.replace("b-2", "b-3"))).holdings
    assert (merged.packages, merged.lines) == (stored.packages, stored.lines)
    assert merged.site.users[1].settings == ben.settings


def test_a_deleted_user_whom_the_file_names_comes_back_as_a_new_one(site: Site) -> None:
    """A-01"""
    stored = replace(Holdings.of(site), site=peopled(site, site.users[1:], site.locations))
    assert stored.site.teams[0].members == ()
    merged = merge(stored, site)
    assert merged.added == ("anna",)
    assert [user.seq for user in merged.holdings.site.users] == [2, 3, 4]
    assert merged.holdings.site.teams == site.teams
    assert [type(event) for event in merged.events] == [SiteMerged, UserCreated]


def test_a_forwarding_left_dangling_by_a_deletion_is_no_fault_of_the_file() -> None:
    head = '[[location]]\nname = "Ort"\n'
    anna = '[[user]]\nname = "anna"\nlocation = "Ort"\nextension = "100"\npassword = "a"\n'
    ben = anna.replace("anna", "ben").replace("100", "101")
    file = Site.parse(head + anna + 'forward = { busy = "*101" }\n' + ben)
    stored = replace(Holdings.of(file), site=peopled(file, file.users[:1], file.locations))
    assert merge(stored, Site.parse(head + ben.replace("ben", "bert"))).kept == ("anna",)
