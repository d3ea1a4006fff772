"""The event package `dialog` at a whole server (RFC 4235): lamps that show the calls of others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.xml_body import read_xml

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Request

pytestmark = pytest.mark.virtual_time
BLF = ("Event", "dialog")
IN = "{urn:ietf:params:xml:ns:dialog-info}"


def document(notify: Request) -> Element:
    assert notify.content_type == "application/dialog-info+xml"
    return read_xml(notify.body)


def told(root: Element) -> list[tuple[str | None, str | None, str | None]]:
    """Return state, direction and far end of each call."""
    return [
        (one.findtext(f"{IN}state"), one.get("direction"), one.findtext(f"{IN}remote/{IN}identity"))
        for one in root
    ]


async def states_until(watcher: SipPeer, state: str) -> list[str]:
    """Return the states of the one call in each document until `state`; none is `idle`."""
    seen: list[str] = []
    while not seen or seen[-1] != state:
        calls = told(document(await watcher.next()))
        seen.append((calls[0][0] or "") if calls else "idle")
    return seen


async def test_a_lamp_shows_a_call_from_ringing_to_its_end(pbx: PbxUnderTest) -> None:
    """RFC 4235 3.7 and 4.1: early, confirmed, terminated; recipient; who calls; versions without a gap."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    async with SipPeer(pbx, "102") as watcher:
        assert (await watcher.ask("SUBSCRIBE", "100", [BLF])).status == 200
        root = document(await watcher.next())
        assert (root.get("version"), root.get("state")) == ("0", "full")
        assert (root.get("entity"), len(root)) == ("sip:100@klein.example", 0)
        call = await ben.dial("100")
        root = document(await watcher.next())
        assert root.get("version") == "1"
        assert told(root) == [("early", "recipient", "sip:101@klein.example")]
        identity = root.find(f"{IN}dialog/{IN}remote/{IN}identity")
        assert identity is not None
        assert identity.get("display") == "Ben Krause"
        await anna.answer()
        assert told(document(await watcher.next())) == [("confirmed", "recipient", "sip:101@klein.example")]
        await call.hang_up()
        root = document(await watcher.next())
        assert root.get("version") == "3"
        assert told(root) == [("terminated", "recipient", "sip:101@klein.example")]
        await asyncio.sleep(5)
        again = await watcher.ask("SUBSCRIBE", "100", [BLF, ("Expires", "0")])
        assert again.status == 200
        assert len(document(await watcher.next())) == 0


async def test_the_caller_s_lamp_shows_the_same_from_the_other_side(pbx: PbxUnderTest) -> None:
    """RFC 4235 3.7.1: trying until somebody rings, then early."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    async with SipPeer(pbx, "102") as watcher:
        await watcher.ask("SUBSCRIBE", "101", [BLF])
        await watcher.next()
        call = await ben.dial("100")
        await anna.answer()
        assert "early" in await states_until(watcher, "confirmed")
        again = await watcher.ask("SUBSCRIBE", "101", [BLF])
        assert again.status == 200
        assert told(document(await watcher.next())) == [("confirmed", "initiator", "sip:100@klein.example")]
        await call.hang_up()
        assert await states_until(watcher, "terminated")


async def test_every_account_may_watch_a_desk_phone_free_of_licence(pbx: PbxUnderTest) -> None:
    async with SipPeer(pbx, "104") as emil:
        assert (await emil.ask("SUBSCRIBE", "100", [BLF])).status == 200


async def test_by_name_the_licence_is_asked(pbx: PbxUnderTest) -> None:
    """From or to sip:NAME presence or chat is needed, of both; and of who watches as sip:NAME."""
    async with SipPeer(pbx, "100") as anna, SipPeer(pbx, "104") as emil, SipPeer(pbx, "emil") as soft:
        assert (await anna.ask("SUBSCRIBE", "ben", [BLF])).status == 200
        for who, target in ((emil, "ben"), (soft, "100"), (anna, "emil")):
            answer = await who.ask("SUBSCRIBE", target, [BLF])
            assert (answer.status, answer.get("x-license-reason")) == (403, "function.not_configured")
            assert pbx.server.decisions.get(answer.get("x-license-decision") or "")
        answer = await anna.ask("SUBSCRIBE", "nobody", [BLF])
        assert (answer.status, answer.get("x-license-reason")) == (404, "number.unknown")


async def test_nobody_is_listening_when_nobody_watches(pbx: PbxUnderTest) -> None:
    """What is not used costs nothing: the stream has the listener only while there are subscriptions."""
    before = len(pbx.server.stream._listeners)
    async with SipPeer(pbx, "102") as watcher:
        opening = await watcher.ask("SUBSCRIBE", "100", [BLF])
        assert len(pbx.server.stream._listeners) == before + 1
        await watcher.next()
        await watcher.ask_inside(opening, "SUBSCRIBE", [BLF, ("Expires", "0")])
        await watcher.next()
        assert len(pbx.server.stream._listeners) == before
