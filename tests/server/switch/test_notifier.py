"""SUBSCRIBE at a whole server (RFC 6665 section 4.2), and the package `message-summary` (RFC 3842)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.message import Request
from ringfence.server.site.acts import MoveUser
from ringfence.server.switch import notifier as rooms
from ringfence.server.switch.events import MessageDeleted, MessageLeft

from .sip_peer import SipPeer

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
MWI = ("Event", "message-summary")


async def test_the_own_box_is_told_at_once_and_at_every_change(pbx: PbxUnderTest) -> None:
    """RFC 3842: a NOTIFY after the 200, when a message arrives, when it is read, and when it is deleted."""
    async with SipPeer(pbx, "100") as phone:
        answer = await phone.ask("SUBSCRIBE", "100", [MWI])
        assert (answer.status, answer.get("expires")) == (200, "3600")
        notify = await phone.next()
        assert notify.get("subscription-state") == "active;expires=3600"
        assert notify.content_type == "application/simple-message-summary"
        assert notify.body.decode().splitlines() == [
            "Messages-Waiting: no",
            "Message-Account: sip:199@klein.example",
            "Voice-Message: 0/0 (0/0)",
        ]
        ben = await pbx.phone("101")
        call = await ben.dial("*100")
        await call.hear_tone(1000)
        await asyncio.sleep(2)
        await call.hang_up()
        left = await pbx.wait_for(MessageLeft, user="anna")
        notify = await phone.next()
        assert b"Messages-Waiting: yes\r\n" in notify.body
        assert b"Voice-Message: 1/0 (0/0)\r\n" in notify.body
        await pbx.server.boxes.mark_read(left.message_id)
        assert b"Messages-Waiting: no\r\n" in (read := await phone.next()).body
        assert b"Voice-Message: 0/1 (0/0)\r\n" in read.body
        assert await pbx.server.boxes.delete(left.message_id)
        await pbx.wait_for(MessageDeleted, message_id=left.message_id)
        assert b"Voice-Message: 0/0 (0/0)\r\n" in (await phone.next()).body


@pytest.mark.parametrize("number", ["100", "anna", "199"])
async def test_the_box_is_found_by_extension_name_and_listening_number(
    pbx: PbxUnderTest, number: str
) -> None:
    async with SipPeer(pbx, "100") as phone:
        answer = await phone.ask("SUBSCRIBE", number, [MWI, ("Expires", "0")])
        assert (answer.status, answer.get("expires")) == (200, "0")
        assert (await phone.next()).get("subscription-state") == "terminated;reason=timeout"
        assert not any(pbx.server.notifier.subscriptions.values())


async def test_somebody_else_s_box_is_403_and_nobody_s_404(pbx: PbxUnderTest) -> None:
    async with SipPeer(pbx, "101") as phone:
        answer = await phone.ask("SUBSCRIBE", "100", [MWI])
        assert (answer.status, answer.get("x-license-reason")) == (403, "auth.forbidden")
        answer = await phone.ask("SUBSCRIBE", "777", [MWI])
        assert (answer.status, answer.get("x-license-reason")) == (404, "number.unknown")


async def test_without_voicemail_the_refusal_says_why(pbx: PbxUnderTest) -> None:
    """The licence is asked as at the box itself; the decision can be looked up."""
    async with SipPeer(pbx, "103") as dora, SipPeer(pbx, "104") as emil:
        answer = await dora.ask("SUBSCRIBE", "103", [MWI])
        assert (answer.status, answer.get("x-license-reason")) == (
            403,
            "license.voicemail.under_licensed",
        )
        decision = pbx.server.decisions.get(answer.get("x-license-decision") or "")
        assert decision is not None
        assert decision.what == "subscription to message-summary of 103"
        answer = await emil.ask("SUBSCRIBE", "104", [MWI])
        assert (answer.status, answer.get("x-license-reason")) == (404, "function.not_configured")


async def test_a_licence_that_goes_ends_the_subscription(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.1.3: `rejected`, at the next NOTIFY or at the refresh."""
    async with SipPeer(pbx, "100") as phone:
        opening = await phone.ask("SUBSCRIBE", "100", [MWI])
        await phone.next()
        await pbx.server.administration.apply(MoveUser("anna", "Haus", "Lager"))
        answer = await phone.ask_inside(opening, "SUBSCRIBE", [MWI])
        assert answer.get("x-license-reason") == "function.not_configured"
        assert (await phone.next()).get("subscription-state") == "terminated;reason=rejected"
        assert not any(pbx.server.notifier.subscriptions.values())


@pytest.mark.parametrize("event", [(), (("Event", "conference"),)])
async def test_a_package_that_is_not_known_is_489(
    pbx: PbxUnderTest, event: tuple[tuple[str, str], ...]
) -> None:
    """RFC 6665 4.2.1.1 and 8.3.2: with the packages that are."""
    async with SipPeer(pbx, "100") as phone:
        answer = await phone.ask("SUBSCRIBE", "100", event)
        assert answer.status == 489
        assert "message-summary" in answer.values("allow-events")


async def test_too_brief_is_423_too_long_is_cut(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.2.1.1: Min-Expires; a notifier may shorten what is asked for, never lengthen it."""
    async with SipPeer(pbx, "100") as phone:
        answer = await phone.ask("SUBSCRIBE", "100", [MWI, ("Expires", "5")])
        assert (answer.status, answer.get("min-expires")) == (423, "10")
        answer = await phone.ask("SUBSCRIBE", "100", [MWI, ("Expires", "999999")])
        assert (answer.status, answer.get("expires")) == (200, "7200")


async def test_a_body_that_the_watcher_does_not_take_is_406(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.2.1.1, RFC 3261 20.1."""
    async with SipPeer(pbx, "100") as phone:
        answer = await phone.ask("SUBSCRIBE", "100", [MWI, ("Accept", "text/plain")])
        assert answer.status == 406
        answer = await phone.ask("SUBSCRIBE", "100", [MWI, ("Accept", "text/plain, application/*;q=0.5")])
        assert answer.status == 200


async def test_a_refresh_is_answered_and_notified(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.2.1.2; a refresh that is too brief leaves the subscription as it was."""
    async with SipPeer(pbx, "100") as phone:
        opening = await phone.ask("SUBSCRIBE", "100", [MWI, ("Expires", "600")])
        await phone.next()
        brief = await phone.ask_inside(opening, "SUBSCRIBE", [MWI, ("Expires", "7")])
        assert (brief.status, brief.get("min-expires")) == (423, "10")
        again = await phone.ask_inside(opening, "SUBSCRIBE", [MWI, ("Expires", "1200")])
        assert (again.status, again.get("expires")) == (200, "1200")
        assert (await phone.next()).get("subscription-state") == "active;expires=1200"
        leaving = await phone.ask_inside(opening, "SUBSCRIBE", [MWI, ("Expires", "0")])
        assert leaving.status == 200
        assert (await phone.next()).get("subscription-state") == "terminated;reason=timeout"
        assert (await phone.ask_inside(opening, "SUBSCRIBE", [MWI])).status == 481


async def test_a_watcher_that_answers_481_or_nothing_is_forgotten(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.2.2."""
    for status in (481, None):
        async with SipPeer(pbx, "100") as phone:
            phone.status = status
            assert (await phone.ask("SUBSCRIBE", "100", [MWI])).status == 200
            await phone.next()
            assert await phone.silent(40)
            assert not any(pbx.server.notifier.subscriptions.values())


async def test_subscriptions_are_bounded(pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each account and in all, with 503 and Retry-After."""
    monkeypatch.setattr(rooms, "MOST_OF_AN_ACCOUNT", 2)
    async with SipPeer(pbx, "100") as phone:
        assert (await phone.ask("SUBSCRIBE", "100", [MWI])).status == 200
        opening = await phone.ask("SUBSCRIBE", "100", [MWI])
        assert opening.status == 200
        answer = await phone.ask("SUBSCRIBE", "100", [MWI])
        assert (answer.status, answer.get("x-license-reason")) == (503, "subscriptions.exhausted")
        assert answer.get("retry-after") == "60"
        await phone.ask_inside(opening, "SUBSCRIBE", [MWI, ("Expires", "0")])
        await phone.silent(1)
        assert (await phone.ask("SUBSCRIBE", "100", [MWI])).status == 200
        monkeypatch.setattr(rooms, "MOST", 2)
        async with SipPeer(pbx, "101") as other:
            assert (await other.ask("SUBSCRIBE", "101", [MWI])).status == 503


async def test_the_end_of_the_server_ends_every_subscription(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.1.3: `deactivated`, and whoever asks now is told that the server is going down."""
    async with SipPeer(pbx, "100") as phone:
        await phone.ask("SUBSCRIBE", "100", [MWI])
        await phone.next()
        pbx.server.notifier.stop()
        assert (await phone.next()).get("subscription-state") == "terminated;reason=deactivated"
        answer = await phone.ask("SUBSCRIBE", "100", [MWI])
        assert (answer.status, answer.get("x-license-reason")) == (503, "server.stopping")


async def test_a_subscribe_without_contact_is_400(pbx: PbxUnderTest) -> None:
    """RFC 6665 4.1.2.1: it makes a dialog (RFC 3261 12.1)."""
    me = "<sip:100@klein.example>"
    headers = [("From", f"{me};tag=b"), ("To", me), ("Call-ID", "bare"), ("CSeq", "1 SUBSCRIBE"), MWI]
    async with SipPeer(pbx, "100") as phone:
        answer = await phone.send(Request("SUBSCRIBE", "sip:100@klein.example", headers))
        assert answer.status == 400
