"""Softphone Mobile, `sip:NAME+mobile`: Office Plus, TCP or TLS, short registrations that end with their connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.server.net.memory_streams import MemoryStreams
from ringfence.server.switch.events import Refused, Registered

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.phone import Phone

SITE = """
[server]
domain = "mobil.example"
[entitlements]
server = 1
office_plus = 1
[[location]]
name = "Haus"
functions = ["softphone_mobile"]
[[location.group]]
name = "Lager"
functions = []
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
[[user]]
name = "emil"
location = "Haus"
group = "Lager"
extension = "104"
password = "Emil-1040-Eiche"
[security]
trusted_sources = ["127.0.0.1"]
"""
pytestmark = [pytest.mark.virtual_time, pytest.mark.ringfence(site=SITE)]


async def close_connections(phone: Phone) -> None:
    """Let its system take the network away from a mobile softphone."""
    assert isinstance(phone._streams, MemoryStreams)
    for connection in list(phone._streams.connections):
        connection.abort()
    await asyncio.sleep(0.1)


async def test_the_mobile_softphone_is_an_account_of_its_own_with_the_same_password(
    pbx: PbxUnderTest,
) -> None:
    mobile, ben = await pbx.phone("anna+mobile", transport="TCP"), await pbx.phone("101")
    call = await ben.dial("anna+mobile")
    taken = await mobile.answer()
    assert taken.caller == "101"
    await call.answered()
    await call.hang_up()
    call = await mobile.dial("101")
    assert (await ben.ringing()).caller == "anna+mobile"
    await call.hang_up()


async def test_by_udp_it_is_refused_since_nobody_could_tell_when_it_is_gone(pbx: PbxUnderTest) -> None:
    mobile = await pbx.phone("anna+mobile", register=False)
    response = await mobile.register()
    assert (response.status, response.get("x-license-reason")) == (403, "softphone_mobile.transport")


@pytest.mark.parametrize(
    ("account", "reason"),
    [("ben+mobile", "license.office_plus.under_licensed"), ("emil+mobile", "function.not_configured")],
)
async def test_without_the_function_or_a_seat_it_may_not_register(
    pbx: PbxUnderTest, account: str, reason: str
) -> None:
    """L-47; that the desktop softphone is on for a user says nothing of the mobile one, nor the other way round."""
    mobile = await pbx.phone(account, register=False, transport="TCP")
    response = await mobile.register()
    assert (response.status, response.get("x-license-reason")) == (403, reason)
    call = await (await pbx.phone("100")).dial(account)
    assert (call.status, call.reason) == (403, reason)


async def test_the_function_of_the_desktop_softphone_is_another_one(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("anna", register=False)
    assert (await anna.register()).get("x-license-reason") == "function.not_configured"


async def test_it_is_registered_for_two_minutes_at_most(pbx: PbxUnderTest) -> None:
    mobile = await pbx.phone("anna+mobile", register=False, transport="TCP")
    assert (await mobile.register(3600)).contacts[0].expires_s == 120
    await asyncio.sleep(121)
    call = await (await pbx.phone("101")).dial("100")
    assert (call.status, call.reason) == (480, "user.not_registered")


async def test_its_registration_ends_with_its_connection(pbx: PbxUnderTest) -> None:
    """RFC 5626 4.2.1: nobody can be reached over a connection that is closed."""
    mobile, ben = await pbx.phone("anna+mobile", transport="TCP"), await pbx.phone("101")
    await pbx.wait_for(Registered, account="anna+mobile", contacts=1)
    await close_connections(mobile)
    await pbx.wait_for(Registered, account="anna+mobile", contacts=0)
    call = await ben.dial("100")
    assert (call.status, call.reason) == (480, "user.not_registered")
    await mobile.register()
    call = await ben.dial("100")
    await mobile.answer()
    await call.answered()
    await call.hang_up()


async def test_a_desk_phone_keeps_its_registration_without_its_connection(pbx: PbxUnderTest) -> None:
    desk = await pbx.phone("100", transport="TCP")
    await close_connections(desk)
    assert pbx.server.registrar.bindings("100", pbx.server.clock.now())


async def test_an_unlicensed_mobile_softphone_is_passed_over_and_an_event_says_why(pbx: PbxUnderTest) -> None:
    await pbx.phone("anna+mobile", transport="TCP")
    ben = await pbx.phone("101")
    await pbx.move("anna", "Haus", "Lager")
    call = await ben.dial("100")
    assert (call.status, call.reason) == (480, "user.not_registered")
    event = await pbx.wait_for(Refused, what="ringing the softphone of anna")
    assert event.reason == "function.not_configured"
    await pbx.move("anna", "Haus")
    call = await ben.dial("100")
    assert call.rings
    await call.hang_up()


async def test_a_call_of_it_goes_on_when_the_licence_goes(pbx: PbxUnderTest) -> None:
    """L-76."""
    mobile, ben = await pbx.phone("anna+mobile", transport="TCP"), await pbx.phone("101")
    call = await mobile.dial("101")
    taken = await ben.answer()
    await pbx.move("anna", "Haus", "Lager")
    await asyncio.sleep(5)
    assert not call.is_over
    await taken.hang_up()
    again = await mobile.dial("101")
    assert (again.status, again.reason) == (403, "function.not_configured")
