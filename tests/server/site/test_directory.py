from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest

from ringfence.licensing.demand import Subject
from ringfence.server.site.directory import Directory
from ringfence.server.site.site import Location, Site, User


@pytest.fixture
def directory(site: Site) -> Directory:
    return Directory(site)


def test_users_are_found_by_name_extension_and_fax_number(directory: Directory) -> None:
    anna = directory.users[0]
    assert directory.by_name("anna") is anna
    assert directory.by_extension("100") is anna
    assert directory.by_fax("1100") is anna
    assert directory.by_name("Anna") is None
    assert directory.by_extension("1100") is None
    assert directory.by_fax("100") is None


def test_attendants_are_found_by_extension(directory: Directory) -> None:
    attendant = directory.attendant("200")
    assert attendant is not None
    assert attendant.name == "zentrale"
    assert directory.attendant("100") is None


@pytest.mark.parametrize(
    ("host", "port", "trunk"),
    [
        ("127.0.0.30", 5070, "zweites"),
        ("127.0.0.30", 5071, "amt"),
        ("127.0.0.31", 1, "zweites"),
        ("10.1.0.9", 5060, "zweites"),
        ("10.2.0.9", 5060, "amt"),
        ("127.0.0.1", 5060, None),
        ("memory", 5060, None),
    ],
)
def test_address_with_port_wins_over_address_and_the_narrower_network_over_the_wider(
    directory: Directory, host: str, port: int, trunk: str | None
) -> None:
    found = directory.trunk_of(host, port)
    assert (found.name if found else None) == trunk


@pytest.mark.parametrize(
    ("group", "functions"),
    [(None, {"voicemail"}), ("Erbe", {"voicemail"}), ("Plus", {"softphone", "voicemail"}), ("Lager", set())],
)
def test_a_groups_list_replaces_its_locations_whole(
    directory: Directory, group: str | None, functions: set[str]
) -> None:
    assert directory.functions_at("Ulm", group) == functions
    assert directory.functions_of(replace(directory.users[0], group=group)) == functions


def test_subjects_are_the_users_as_licensing_sees_them(directory: Directory) -> None:
    assert directory.subjects()[0] == Subject("anna", 1, "Ulm", "Plus", frozenset({"softphone", "voicemail"}))


def test_5000_users_are_ready_within_100_ms_of_processor_time() -> None:
    user = User("u", 1, "Ort", "0", "p")
    users = tuple(
        replace(user, name=f"u{n}", seq=n, extension=f"{n}", fax_number=f"9{n}") for n in range(5000)
    )
    site = Site(locations=(Location("Ort"),), users=users)
    began = process_time()
    Directory(site)
    assert process_time() - began < 0.1
