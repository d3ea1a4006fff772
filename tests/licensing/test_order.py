"""The order of service: reservations, contingents, and what is left for the rest (L-64)."""

from __future__ import annotations

from ringfence.licensing.allocation import Allocation, allocate
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.explain import why
from ringfence.licensing.order import ServiceOrder


def users(*wants: str) -> list[Subject]:
    """u1, u2, … each `Place functions…`."""
    told = [one.split() for one in wants]
    return [Subject(f"u{n}", n, place, None, frozenset(on)) for n, (place, *on) in enumerate(told, 1)]


def deal(bought: dict[str, int], order: ServiceOrder, *wants: str) -> Allocation:
    return allocate(Entitlement({"server": 1, **bought}), users(*wants), order)


def holders(result: Allocation, key: str = "office") -> list[str]:
    return [user for user in result.users if key in result.assigned(user)]


def test_v15_l64_a_reserved_user_first_then_a_contingent_then_the_rest_by_sequence() -> None:
    order = ServiceOrder({"office": ("u5",)}, {"A": {"office": 1}})
    result = deal({"office": 4}, order, "A cti", "A cti", "B cti", "B cti", "B cti", "B cti")
    assert holders(result) == ["u1", "u3", "u4", "u5"]
    assert result.pools["office"].missing == 2


def test_l64_a_contingent_is_a_hard_cap_even_when_seats_are_left() -> None:
    result = deal({"office": 9}, ServiceOrder(contingents={"A": {"office": 1}}), "A cti", "A cti", "B cti")
    assert holders(result) == ["u1", "u3"]


def test_l64_a_contingent_is_a_guarantee_that_nobody_borrows_from() -> None:
    order = ServiceOrder({"office": ("u2",)}, {"A": {"office": 2}})
    assert holders(deal({"office": 2}, order, "B cti", "B cti", "A cti")) == ["u3"]


def test_l64_a_contingent_of_none_gives_nobody_there_a_seat() -> None:
    assert holders(deal({"office": 5}, ServiceOrder(contingents={"A": {"office": 0}}), "A cti", "B cti")) == [
        "u2"
    ]


def test_a_reservation_reaches_no_further_than_the_contingent_of_the_user() -> None:
    order = ServiceOrder({"office": ("u3", "u2")}, {"A": {"office": 1}})
    assert holders(deal({"office": 5}, order, "A cti", "A cti", "A cti")) == ["u3"]


def test_reservations_are_served_in_list_order_and_only_who_wants() -> None:
    order = ServiceOrder({"office": ("u4", "nobody", "u1", "u3")})
    result = deal({"office": 2}, order, "A fax", "A cti", "A cti", "A cti")
    assert holders(result) == ["u3", "u4"]


def test_a_reservation_of_plus_is_one_of_the_bundle() -> None:
    order = ServiceOrder({"office_plus": ("u3",)})
    result = deal({"office_plus": 1}, order, "A softphone", "A softphone", "A softphone")
    assert holders(result, "office_plus") == holders(result) == ["u3"]


def test_a_plus_contingent_brings_its_office_which_does_not_count_on_offices() -> None:
    order = ServiceOrder(contingents={"A": {"office_plus": 1, "office": 1}})
    result = deal({"office_plus": 1, "office": 1}, order, "A softphone", "A cti", "A cti")
    assert holders(result) == ["u1", "u2"]


def test_contingents_beyond_the_pool_are_served_in_file_order() -> None:
    order = ServiceOrder(contingents={"B": {"office": 2}, "A": {"office": 2}})
    result = deal({"office": 3}, order, "A cti", "A cti", "B cti", "B cti", "C cti")
    assert holders(result) == ["u1", "u3", "u4"]


def test_contingents_beyond_the_pool_come_after_reservations() -> None:
    order = ServiceOrder({"office": ("u2",)}, {"B": {"office": 2}, "A": {"office": 2}})
    result = deal({"office": 2}, order, "A cti", "A cti", "B cti", "B cti")
    assert holders(result) == ["u2", "u3"]


def test_what_one_location_leaves_of_too_many_contingents_is_the_next_ones() -> None:
    order = ServiceOrder(contingents={"B": {"office": 2}, "A": {"office": 2}})
    assert holders(deal({"office": 3}, order, "A cti", "A cti", "B cti")) == ["u1", "u2", "u3"]


def test_a_contingent_is_told_in_the_account_of_a_refusal() -> None:
    order, subjects = ServiceOrder(contingents={"Ulm": {"office": 1}}), users("Ulm cti", "Ulm cti")
    entitlement = Entitlement({"server": 1, "office": 4})
    told = why("u2", "cti", entitlement, allocate(entitlement, subjects, order), subjects)
    expected = "u2 is number 2 of 2 in the order of the contingent of Ulm, but Office has room for 1 only."
    assert expected in told.sentences()
    expected = "u2 steht im Kontingent von Ulm an Stelle 2 von 2, aber Office reicht nur für 1."
    assert expected in told.sentences("de")
    assert told.refusal is not None
    assert told.refusal.facts["seats"] == 1


def test_turns_count_on_over_the_shares() -> None:
    pool = deal(
        {"office": 2}, ServiceOrder(contingents={"A": {"office": 1}}), *["A cti"] * 3, *["B cti"] * 2
    ).pools["office"]
    assert {user: pool.turn(user) for user in ("u2", "u3", "u5")} == {"u2": 1, "u3": 2, "u5": 3}
    assert (pool.waiting, pool.assigned, pool.missing) == (3, 2, 3)
