"""What an account may register, and for whom (RFC 3261 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

from ringfence.server.sip.registrar import MOST_CONTACTS

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Response

pytestmark = pytest.mark.virtual_time
HOST, PASSWORD = "192.0.2.66", "Anna-1000-Apfel"


async def register(
    stranger: Stranger,
    *contacts: str,
    to: str = "100",
    domain: str = "klein.example",
    call_id: str | None = None,
    cseq: int | None = None,
    expires: int | None = None,
) -> Response:
    """Register as account 100, with whatever To, Contacts and numbers."""
    challenge = await stranger.challenge()
    shown = challenge.answer("100", PASSWORD, "REGISTER", "sip:klein.example", cnonce="c")
    request = stranger.request("REGISTER", ("Authorization", str(shown)), call_id=call_id)
    request.set("To", f"<sip:{to}@{domain}>")
    if cseq is not None:
        request.set("CSeq", f"{cseq} REGISTER")
    if expires is not None:
        request.add("Expires", str(expires))
    for contact in contacts:
        request.add("Contact", contact)
    answer = await stranger.ask(request)
    assert answer is not None
    return answer


def bound(pbx: PbxUnderTest, account: str = "100") -> list[str]:
    return [str(one.contact) for one in pbx.server.registrar.bindings(account, pbx.server.clock.now())]


async def test_nobody_registers_a_contact_for_somebody_else(pbx: PbxUnderTest) -> None:
    """RFC 3261 10.3 step 4, and 26.1.1: the account is the one whose password was shown."""
    stranger = await Stranger.at(pbx, HOST)
    for account in ("101", "ben", "anna", "nobody"):
        assert (await register(stranger, "<sip:x@192.0.2.66>", to=account)).status == 403
        assert bound(pbx, account) == []


async def test_an_account_of_another_domain_is_not_found(pbx: PbxUnderTest) -> None:
    """RFC 3261 10.3 step 5."""
    stranger = await Stranger.at(pbx, HOST)
    assert (await register(stranger, "<sip:x@192.0.2.66>", domain="other.example")).status == 404
    request = stranger.request("REGISTER", target="sip:other.example")
    challenge = await stranger.challenge(target="sip:other.example")
    shown = challenge.answer("100", PASSWORD, "REGISTER", "sip:other.example", cnonce="c")
    request.add("Authorization", str(shown))
    answer = await stranger.ask(request)
    assert answer is not None
    assert answer.status == 404


async def test_a_contact_that_leads_back_to_the_server_is_refused(pbx: PbxUnderTest) -> None:
    """RFC 3261 16.3 step 4: what is sent there would come here again."""
    stranger, sip = await Stranger.at(pbx, HOST), pbx.server.sip
    assert (await register(stranger, f"<sip:100@{sip}>")).status == 403
    assert (await register(stranger, f"<sip:a@192.0.2.66>, <sip:101@{sip};transport=udp>")).status == 403
    assert bound(pbx) == []
    assert (await register(stranger, f"<sip:100@{sip.host}:{sip.port + 1}>")).status == 200


async def test_an_older_cseq_of_the_same_call_changes_nothing(pbx: PbxUnderTest) -> None:
    """RFC 3261 10.3 step 7: neither does it remove the binding."""
    stranger = await Stranger.at(pbx, HOST)
    assert (await register(stranger, "<sip:a@192.0.2.66>", call_id="r", cseq=50)).status == 200
    for cseq in (49, 50):
        assert (
            await register(stranger, "<sip:a@192.0.2.66>;expires=0", call_id="r", cseq=cseq)
        ).status == 500
        assert (await register(stranger, "*", call_id="r", cseq=cseq, expires=0)).status == 500
    assert bound(pbx) == ["sip:a@192.0.2.66"]
    assert (await register(stranger, "*", call_id="r", cseq=51, expires=0)).status == 200
    assert bound(pbx) == []


async def test_the_star_stands_alone_and_with_expires_0(pbx: PbxUnderTest) -> None:
    """RFC 3261 10.3 step 6."""
    stranger = await Stranger.at(pbx, HOST)
    await register(stranger, "<sip:a@192.0.2.66>")
    assert (await register(stranger, "*")).status == 400
    assert (await register(stranger, "*", expires=60)).status == 400
    assert (await register(stranger, "*", "<sip:b@192.0.2.66>", expires=0)).status == 400
    assert bound(pbx) == ["sip:a@192.0.2.66"]


async def test_an_account_has_at_most_ten_contacts(pbx: PbxUnderTest) -> None:
    """Bug class 1: every list is bounded; all of a request's contacts change, or none does."""
    stranger = await Stranger.at(pbx, HOST)
    for number in range(MOST_CONTACTS):
        assert (await register(stranger, f"<sip:{number}@192.0.2.66>")).status == 200
    assert (await register(stranger, "<sip:more@192.0.2.66>")).status == 403
    assert len(bound(pbx)) == MOST_CONTACTS
    eleven = ", ".join(f"<sip:{number}@192.0.2.66>" for number in range(11))
    assert (await register(stranger, eleven)).status == 400


async def test_too_short_a_time_is_423_with_the_least(pbx: PbxUnderTest) -> None:
    """RFC 3261 10.3 step 7."""
    stranger = await Stranger.at(pbx, HOST)
    answer = await register(stranger, "<sip:a@192.0.2.66>", expires=9)
    assert (answer.status, answer.get("min-expires")) == (423, "10")
    assert bound(pbx) == []
