"""The softphone `sip:NAME`: Office Plus is asked for at REGISTER, at INVITE, and before it rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.switch.events import Refused

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


async def test_an_under_licensed_softphone_may_not_register_and_learns_why(pbx: PbxUnderTest) -> None:
    """L-47: refused with `license.<key>.under_licensed`, the same code and decision everywhere."""
    dora = await pbx.phone("dora", register=False)
    response = await dora.register()
    assert (response.status, response.get("x-license-reason")) == (403, "license.office_plus.under_licensed")
    assert response.get("reason") == 'Q.850;cause=50;text="requested facility not subscribed"'
    decision = pbx.server.decisions.get(response.get("x-license-decision") or "")
    assert decision is not None
    assert (decision.refusal.reason, decision.user) == ("license.office_plus.under_licensed", "dora")


async def test_the_desk_phone_needs_no_licence(pbx: PbxUnderTest) -> None:
    dora = await pbx.phone("103", register=False)
    assert (await dora.register()).status == 200


async def test_a_softphone_whose_user_lost_the_licence_may_not_call(pbx: PbxUnderTest) -> None:
    """L-05: the move releases the licence; the next INVITE is refused."""
    anna = await pbx.phone("anna")
    await pbx.move("anna", "Haus", "Lager")
    call = await anna.dial("9900")
    assert (call.status, call.reason) == (403, "function.not_configured")


async def test_a_freed_seat_serves_the_waiting_user_at_once(pbx: PbxUnderTest) -> None:
    """L-48: moving an earlier user promotes the next waiting one."""
    dora = await pbx.phone("dora", register=False)
    assert (await dora.register()).status == 403
    await pbx.move("anna", "Haus", "Lager")
    assert (await dora.register()).status == 200


async def test_a_call_in_progress_goes_on_when_the_licence_goes(pbx: PbxUnderTest) -> None:
    """L-76: no licence change interrupts an established call."""
    anna, ben = await pbx.phone("anna"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.answer()
    await pbx.move("anna", "Haus", "Lager")
    await call.send_digits("1")
    assert not call.is_over
    await answered.hang_up()


async def test_the_extension_rings_the_desk_phone_only_when_it_is_there(pbx: PbxUnderTest) -> None:
    desk, soft, ben = await pbx.phone("100"), await pbx.phone("anna"), await pbx.phone("101")
    call = await ben.dial("100")
    assert len(desk.calls) == 1
    assert not soft.calls
    await call.hang_up()


async def test_without_a_desk_phone_the_extension_rings_the_licensed_softphone(pbx: PbxUnderTest) -> None:
    soft, ben = await pbx.phone("anna"), await pbx.phone("101")
    call = await ben.dial("100")
    await soft.answer()
    await call.answered()
    await call.hang_up()


async def test_a_name_rings_the_softphone_only(pbx: PbxUnderTest) -> None:
    desk, soft, ben = await pbx.phone("100"), await pbx.phone("anna"), await pbx.phone("101")
    call = await ben.dial("anna")
    assert len(soft.calls) == 1
    assert not desk.calls
    await call.hang_up()


async def test_a_registered_softphone_without_a_licence_is_passed_over_and_an_event_says_why(
    pbx: PbxUnderTest,
) -> None:
    await pbx.phone("ben")
    clara = await pbx.phone("102")
    await pbx.move("ben", "Haus", "Lager")
    call = await clara.dial("101")
    assert (call.status, call.reason) == (480, "user.not_registered")
    event = await pbx.wait_for(Refused, what="ringing the softphone of ben")
    assert (event.reason, event.user) == ("function.not_configured", "ben")


ONE_NUMBER = """
[server]
domain = "eins.example"
[entitlements]
server = 1
office_plus = 1
[[location]]
name = "Haus"
functions = ["softphone", "one_number"]
[[user]]
name = "anna"
location = "Haus"
extension = "100"
password = "Anna-1000-Apfel"
[[user]]
name = "ben"
location = "Haus"
extension = "101"
password = "Ben-1010-Birne"
"""


@pytest.mark.ringfence(site=ONE_NUMBER)
async def test_with_one_number_desk_phone_and_softphone_ring_together(pbx: PbxUnderTest) -> None:
    desk, soft, ben = await pbx.phone("100"), await pbx.phone("anna"), await pbx.phone("101")
    call = await ben.dial("100")
    ringing = await desk.ringing()
    await soft.answer()
    await call.answered()
    await ringing.ended()
    assert ringing.status == 487
    await call.hang_up()
