from __future__ import annotations

from ringfence.licensing.allocation import Allocation, allocate
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.server.site.events import LicenceAssigned, LicenceDisplaced, LicenceReleased, WaitingUserServed
from ringfence.server.site.licence_shift import shifts

WANTED = frozenset({"contacts"})


def dealt(seats: int, **wanting: bool) -> Allocation:
    subjects = [
        Subject(name, seq, "Ort", None, WANTED if wants else frozenset())
        for seq, (name, wants) in enumerate(wanting.items())
    ]
    return allocate(Entitlement({"server": 1, "contacts": seats}), subjects)


def test_a_freed_licence_is_released_and_assigned_to_the_next_in_order() -> None:
    """L-48"""
    before, after = dealt(1, anna=True, ben=True, clara=True), dealt(1, anna=False, ben=True, clara=True)
    assert list(shifts(before, after)) == [
        LicenceReleased("anna", "contacts"),
        LicenceAssigned("ben", "contacts"),
        WaitingUserServed("ben", ("contacts",)),
    ]


def test_a_returning_earlier_user_displaces_the_later_one_and_both_are_named() -> None:
    """A-02"""
    before, after = dealt(1, anna=False, ben=True), dealt(1, anna=True, ben=True)
    assert list(shifts(before, after)) == [
        LicenceDisplaced("ben", "contacts", "anna"),
        LicenceAssigned("anna", "contacts"),
    ]


def test_a_seat_that_is_gone_displaces_by_nobody() -> None:
    before, after = dealt(2, anna=True, ben=True), dealt(1, anna=True, ben=True)
    assert list(shifts(before, after)) == [LicenceDisplaced("ben", "contacts", None)]


def test_the_same_allocation_is_no_event() -> None:
    assert list(shifts(dealt(1, anna=True), dealt(1, anna=True))) == []


def test_a_new_user_was_not_waiting_and_a_deleted_one_releases_what_he_held() -> None:
    """L-48"""
    before, after = dealt(1, anna=True, ben=True), dealt(1, ben=True, clara=True)
    assert list(shifts(before, after)) == [
        LicenceReleased("anna", "contacts"),
        LicenceAssigned("ben", "contacts"),
        WaitingUserServed("ben", ("contacts",)),
    ]
    assert list(shifts(dealt(1, anna=False), dealt(1, anna=False, ben=True))) == [
        LicenceAssigned("ben", "contacts")
    ]
