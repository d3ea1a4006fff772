"""The registrar as RFC 3261 10.3 has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.network import Address
from ringfence.server.sip.message import Request, Response
from ringfence.server.sip.registrar import MOST_CONTACTS, ExpiryLimits, Registrar

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = Address("192.0.2.7", 5070)
DESK, CAR = "<sip:100@192.0.2.7:5070>", "<sip:100@192.0.2.8>"


def register(
    registrar: Registrar,
    contacts: Sequence[str] = (),
    *,
    cseq: int = 1,
    call: str = "r1",
    expires: int | None = None,
    now: float = 0.0,
    account: str = "100",
    extra: Sequence[tuple[str, str]] = (),
) -> Response:
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKr"),
        ("From", "<sip:100@a.example>;tag=f"),
        ("To", "<sip:100@a.example>"),
        ("Call-ID", call),
        ("CSeq", f"{cseq} REGISTER"),
        *(("Contact", contact) for contact in contacts),
        *extra,
    ]
    if expires is not None:
        headers.append(("Expires", str(expires)))
    return registrar.register(account, Request("REGISTER", "sip:a.example", headers), SOURCE, "t1", now)


def bound(registrar: Registrar, now: float = 0.0) -> list[str]:
    return [f"<{binding.contact}>" for binding in registrar.bindings("100", now)]


def test_the_response_lists_every_binding_with_what_is_left_of_it() -> None:
    """RFC 3261 10.3 step 8."""
    registrar = Registrar()
    response = register(registrar, [DESK], expires=600)
    assert (response.status, response.to.tag) == (200, "t1")
    response = register(registrar, [f"{CAR};expires=120"], cseq=2, now=100)
    assert response.all("contact") == [f"{DESK};expires=500", f"{CAR};expires=120"]
    assert register(registrar, now=150).all("contact") == [f"{DESK};expires=450", f"{CAR};expires=70"]


def test_the_newest_binding_comes_first() -> None:
    registrar = Registrar()
    register(registrar, [DESK])
    register(registrar, [CAR], cseq=2)
    assert bound(registrar) == [CAR, DESK]
    register(registrar, [DESK], cseq=3)
    assert bound(registrar) == [DESK, CAR]
    (binding, _) = registrar.bindings("100", 0)
    assert (binding.source, binding.call_id, binding.cseq) == (SOURCE, "r1", 3)


def test_several_contacts_in_one_request() -> None:
    registrar = Registrar()
    assert register(registrar, [DESK, f"{CAR};expires=0"]).all("contact") == [f"{DESK};expires=3600"]
    assert register(registrar, [f"{DESK}, {CAR}", DESK], cseq=2).status == 200
    assert sorted(bound(registrar)) == sorted([DESK, CAR])


def test_the_time_comes_from_contact_before_expires_before_the_default_and_has_a_most() -> None:
    """RFC 3261 10.2.1.1 and 10.3 step 7."""
    registrar = Registrar(ExpiryLimits(least_s=10, default_s=3600, most_s=7200))
    cases = [
        (DESK, None, 3600),
        (DESK, 60, 60),
        (f"{DESK};expires=30", 60, 30),
        (DESK, 99999, 7200),
        (DESK, 10, 10),
    ]
    for cseq, (contact, expires, lasts_s) in enumerate(cases, 1):
        response = register(registrar, [contact], cseq=cseq, expires=expires)
        assert response.all("contact") == [f"{DESK};expires={lasts_s}"]


def test_too_brief_a_time_gets_423_and_changes_nothing() -> None:
    """RFC 3261 10.3 step 7: with Min-Expires."""
    registrar = Registrar()
    response = register(registrar, [CAR, f"{DESK};expires=9"])
    assert (response.status, response.get("min-expires")) == (423, "10")
    assert bound(registrar) == []


def test_expires_0_removes_one_binding() -> None:
    registrar = Registrar()
    register(registrar, [DESK, CAR])
    assert register(registrar, [f"{DESK};expires=0"], cseq=2).status == 200
    assert bound(registrar) == [CAR]
    assert register(registrar, [CAR], cseq=3, expires=0).all("contact") == []
    assert list(registrar.accounts(0)) == []


def test_a_star_removes_all_but_only_with_expires_0() -> None:
    """RFC 3261 10.3 step 6."""
    registrar = Registrar()
    register(registrar, [DESK, CAR])
    assert register(registrar, ["*"], cseq=2).status == 400
    assert register(registrar, ["*"], cseq=2, expires=60).status == 400
    assert len(bound(registrar)) == 2
    assert register(registrar, ["*"], cseq=2, expires=0).status == 200
    assert bound(registrar) == []


def test_an_older_or_equal_number_of_the_same_call_id_changes_nothing() -> None:
    """RFC 3261 10.3 steps 6 and 7: all contacts of a request change, or none does."""
    registrar = Registrar()
    register(registrar, [DESK], cseq=5)
    for cseq in (4, 5):
        assert register(registrar, [CAR, f"{DESK};expires=0"], cseq=cseq).status == 500
        assert register(registrar, ["*"], cseq=cseq, expires=0).status == 500
    assert bound(registrar) == [DESK]
    assert register(registrar, [f"{DESK};expires=0"], cseq=1, call="r2").status == 200, (
        "a phone that started anew"
    )
    assert bound(registrar) == []


def test_contacts_are_compared_as_uris() -> None:
    """RFC 3261 19.1.4."""
    registrar = Registrar()
    register(registrar, ["<sip:%61nna@Phone.Example>"])
    register(registrar, ["<sip:anna@phone.example>;expires=0"], cseq=2)
    assert bound(registrar) == []


def test_a_contact_that_is_no_sip_uri_is_refused() -> None:
    registrar = Registrar()
    assert register(registrar, [DESK, "<tel:+4989>"]).status == 400
    assert bound(registrar) == []


def test_one_contact_too_many_is_refused() -> None:
    registrar = Registrar()
    contacts = [f"<sip:100@192.0.2.{number}>" for number in range(MOST_CONTACTS)]
    register(registrar, contacts)
    assert register(registrar, ["<sip:100@192.0.2.99>"], cseq=2).status == 403
    assert sorted(bound(registrar)) == sorted(contacts)
    assert register(registrar, ["<sip:100@192.0.2.99>", f"{contacts[0]};expires=0"], cseq=3).status == 200


def test_bindings_end_when_their_time_is_over() -> None:
    registrar = Registrar()
    register(registrar, [f"{DESK};expires=60", f"{CAR};expires=90"])
    assert sorted(bound(registrar, 59.9)) == sorted([DESK, CAR])
    assert bound(registrar, 60) == [CAR]
    assert [account for account, _ in registrar.accounts(60)] == ["100"]
    assert bound(registrar, 90) == []
    assert register(registrar, [DESK], cseq=1, now=91).status == 200, "what has ended holds no number"


def test_accounts_are_apart() -> None:
    registrar = Registrar()
    register(registrar, [DESK])
    register(registrar, [CAR], account="anna")
    register(registrar, ["*"], account="anna", cseq=2, expires=0)
    assert bound(registrar) == [DESK]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 40)), max_size=40))
def test_what_is_bound_is_what_a_simple_model_says(steps: list[tuple[int, int, int]]) -> None:
    registrar, model, now = Registrar(ExpiryLimits(least_s=1)), dict[str, float](), 0.0
    for cseq, (phone, lasts_s, pause_s) in enumerate(steps, 1):
        now += pause_s
        contact = f"<sip:{phone}@192.0.2.7>"
        assert register(registrar, [contact], cseq=cseq, expires=lasts_s, now=now).status == 200
        model[contact] = now + lasts_s
        assert sorted(bound(registrar, now)) == sorted(one for one, until in model.items() if until > now)


def test_the_highest_q_comes_first_and_among_equals_the_newest() -> None:
    """RFC 3261 20.10 and 16.6: without a q a contact is used as gladly as can be."""
    registrar = Registrar()
    register(registrar, [f"{DESK};q=0.5"])
    register(registrar, [f"{CAR};q=0.75"], cseq=2)
    response = register(registrar, ["<sip:100@192.0.2.9>"], cseq=3)
    assert bound(registrar) == ["<sip:100@192.0.2.9>", CAR, DESK]
    assert response.all("contact")[0] == f"{DESK};q=0.5;expires=3600"
    register(registrar, [f"{DESK};q=1.000"], cseq=4)
    assert bound(registrar) == [DESK, "<sip:100@192.0.2.9>", CAR]


@pytest.mark.parametrize("q", ["2", "0.1234", "-1", "1.1", "high", ".5", "0,5", "\u0661"])
def test_a_q_that_is_none_is_400(q: str) -> None:
    """RFC 3261 25.1: qvalue."""
    registrar = Registrar()
    assert register(registrar, [f'{DESK};q="{q}"']).status == 400
    assert bound(registrar) == []


def test_the_path_of_a_registration_is_kept_and_shown_to_who_supports_it() -> None:
    """RFC 3327 sections 5.3 and 5.4: used as Route towards the contact, in the same order."""
    path = [("Path", "<sip:192.0.2.20;lr>, <sip:192.0.2.21;lr>"), ("Path", "<sip:192.0.2.22;lr>")]
    registrar = Registrar()
    response = register(registrar, [DESK], extra=[*path, ("Supported", "gruu, path")])
    assert response.values("path") == ["<sip:192.0.2.20;lr>", "<sip:192.0.2.21;lr>", "<sip:192.0.2.22;lr>"]
    (binding,) = registrar.bindings("100", 0)
    assert [value for _, value in binding.routes] == response.values("path")
    assert register(registrar, [DESK], cseq=2, extra=path).get("path") is None
    required = register(registrar, [DESK], cseq=3, extra=[*path, ("Require", "path")])
    assert required.values("path") == response.values("path")
    assert required.values("supported") == ["path"]
    register(registrar, [DESK], cseq=4)
    (binding,) = registrar.bindings("100", 0)
    assert binding.routes == ()
