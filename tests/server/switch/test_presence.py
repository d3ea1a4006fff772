"""Presence at a whole server (RFC 3856): registrations, calls, and PUBLISH (RFC 3903)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.pidf import Presentity, read_pidf
from ringfence.server.sip.xml_body import read_xml

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Response

pytestmark = pytest.mark.virtual_time
EVENT = ("Event", "presence")
IN = "{urn:ietf:params:xml:ns:pidf}"
PIDF = (
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
    ' xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:100@klein.example">{}</presence>'
)
CLOSED = PIDF.format('<tuple id="a"><status><basic>closed</basic></status><note>Gone fishing</note></tuple>')
MEETING = PIDF.format('<dm:person id="p"><r:activities><r:meeting/></r:activities></dm:person>')


async def seen(watcher: SipPeer) -> tuple[dict[str, str], tuple[str, ...], str]:
    """Return the status of each account, the activities and the note of the next NOTIFY."""
    notify = await watcher.next()
    assert notify.content_type == "application/pidf+xml"
    tuples = read_xml(notify.body).findall(f"{IN}tuple")
    status = {
        (one.findtext(f"{IN}contact") or "")[4:].partition("@")[0]: one.findtext(f"{IN}status/{IN}basic")
        or ""
        for one in tuples
    }
    read: Presentity = read_pidf(notify.body)
    return status, read.activities, read.note


async def publish(
    phone: SipPeer, body: str, *headers: tuple[str, str], to: str | None = None, event: str = "presence"
) -> Response:
    kind = [("Content-Type", "application/pidf+xml")] if body else []
    return await phone.ask("PUBLISH", to or phone.account, [("Event", event), *kind, *headers], body.encode())


async def test_registering_calling_and_going_are_seen(pbx: PbxUnderTest) -> None:
    """RFC 3856 6.7: open while registered, on the phone in a call (RFC 4480 3.2), closed afterwards."""
    async with SipPeer(pbx, "102") as watcher:
        assert (await watcher.ask("SUBSCRIBE", "100", [EVENT])).status == 200
        assert await seen(watcher) == ({"100": "closed"}, (), "")
        anna, ben = await pbx.phone("100"), await pbx.phone("101")
        assert await seen(watcher) == ({"100": "open"}, (), "")
        call = await ben.dial("100")
        await anna.answer()
        assert await seen(watcher) == ({"100": "open"}, ("on-the-phone",), "")
        await call.hang_up()
        assert await seen(watcher) == ({"100": "open"}, (), "")
        await anna.register(0)
        assert await seen(watcher) == ({"100": "closed"}, (), "")


async def test_a_registration_that_runs_out_is_seen_and_a_refresh_is_not(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.2.2: what has not changed is not told."""
    anna = await pbx.phone("100")
    async with SipPeer(pbx, "102") as watcher:
        await watcher.ask("SUBSCRIBE", "100", [EVENT, ("Expires", "7200")])
        assert await seen(watcher) == ({"100": "open"}, (), "")
        await anna.register(100)
        assert await watcher.silent(90)
        await anna.register(100)
        assert await watcher.silent(99)
        await asyncio.sleep(2)
        assert await seen(watcher) == ({"100": "closed"}, (), "")


async def test_by_name_a_person_is_softphone_and_desk_phone_together(pbx: PbxUnderTest) -> None:
    await pbx.phone("100")
    async with SipPeer(pbx, "101") as watcher:
        assert (await watcher.ask("SUBSCRIBE", "anna", [EVENT])).status == 200
        assert await seen(watcher) == ({"anna": "closed", "100": "open"}, (), "")
        await pbx.phone("anna")
        assert await seen(watcher) == ({"anna": "open", "100": "open"}, (), "")


async def test_what_is_published_counts_more_than_being_registered(pbx: PbxUnderTest) -> None:
    """RFC 3903 section 3: the compositor joins publications with what the server knows; expiry takes them back."""
    await pbx.phone("100")
    async with SipPeer(pbx, "102") as watcher, SipPeer(pbx, "100") as phone:
        await watcher.ask("SUBSCRIBE", "100", [EVENT])
        await seen(watcher)
        answer = await publish(phone, CLOSED)
        assert (answer.status, answer.get("expires")) == (200, "3600")
        assert await seen(watcher) == ({"100": "closed"}, (), "Gone fishing")
        await publish(phone, MEETING, ("Expires", "100"))
        assert await seen(watcher) == ({"100": "closed"}, ("meeting",), "Gone fishing")
        assert await seen(watcher) == ({"100": "closed"}, (), "Gone fishing")
        etag = answer.get("sip-etag") or ""
        assert (await publish(phone, "", ("SIP-If-Match", etag), ("Expires", "0"))).status == 200
        assert await seen(watcher) == ({"100": "open"}, (), "")


async def test_a_publish_that_does_not_count(pbx: PbxUnderTest) -> None:
    """RFC 3903 section 6: 412, 489 with Allow-Events, 400; 403 for somebody else's state."""
    async with SipPeer(pbx, "100") as phone:
        assert (await publish(phone, "", ("SIP-If-Match", "nothing"))).status == 412
        refused = await publish(phone, CLOSED, event="dialog")
        assert (refused.status, refused.get("allow-events")) == (489, "presence")
        assert (await publish(phone, "<presence")).status == 400
        assert (await publish(phone, "<!DOCTYPE x>" + CLOSED)).status == 400
        assert (await publish(phone, CLOSED + " " * 9000)).status == 413
        refused = await publish(phone, CLOSED, to="101")
        assert (refused.status, refused.get("x-license-reason")) == (403, "auth.forbidden")


async def test_publishing_by_name_needs_the_licence_and_a_desk_phone_does_not(pbx: PbxUnderTest) -> None:
    async with SipPeer(pbx, "emil") as soft, SipPeer(pbx, "104") as desk, SipPeer(pbx, "anna") as anna:
        refused = await publish(soft, CLOSED)
        assert (refused.status, refused.get("x-license-reason")) == (403, "function.not_configured")
        assert (await publish(desk, CLOSED)).status == 200
        assert (await publish(anna, CLOSED)).status == 200


MOBILE = read_site("small").text.replace('"softphone", "voicemail",', '"softphone", "softphone_mobile",')


@pytest.mark.ringfence(site=MOBILE)
async def test_somebody_with_a_mobile_softphone_is_seen_by_that_as_well(pbx: PbxUnderTest) -> None:
    """With softphone and desk phone together he is one person."""
    async with SipPeer(pbx, "102") as watcher:
        assert (await watcher.ask("SUBSCRIBE", "anna", [EVENT])).status == 200
        closed = {"anna": "closed", "100": "closed", "anna+mobile": "closed"}
        assert await seen(watcher) == (closed, (), "")
        mobile, ben = await pbx.phone("anna+mobile", transport="TCP"), await pbx.phone("101")
        reachable = closed | {"anna+mobile": "open"}
        assert await seen(watcher) == (reachable, (), "")
        call = await mobile.dial("101")
        await ben.answer()
        assert await seen(watcher) == (reachable, ("on-the-phone",), "")
        user = pbx.server.administration.directory.users[0]
        assert pbx.server._presence.of_person(user) == {"on-the-phone"}
        await call.hang_up()
