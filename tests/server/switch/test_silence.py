"""A peer that vanishes is noticed by its RTP, and its channel is free again: `[media] silent_s`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from ringfence.channels.media import rtcp
from ringfence.channels.network import Address
from ringfence.fixtures.plugin import read_site
from ringfence.server.cli import event_log
from ringfence.server.sip.sdp import Sdp
from ringfence.server.site.site import Site, SiteError
from ringfence.server.switch.events import CallEnded, Refused

from .raw_caller import RawCaller

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time

SMALL = read_site("small").text
IMPATIENT = SMALL + "\n[media]\nsilent_s = 10\n"


async def silence_of(pbx: PbxUnderTest, number: str) -> float:
    """Call `number`, say nothing, and return after how many seconds that is ended by cause 41."""
    async with RawCaller(pbx) as caller:
        assert (await caller.invite(number)).status == 200
        caller.ack()
        began = asyncio.get_running_loop().time()
        assert pbx.pools.ip_channel.used == 1
        bye = await caller.request_from_server()
        caller.respond(bye, 200)
    assert (bye.method, pbx.pools.ip_channel.used) == ("BYE", 0)
    assert "cause=41" in (bye.get("reason") or "")
    return asyncio.get_running_loop().time() - began


async def test_a_box_waits_for_a_minute(pbx: PbxUnderTest) -> None:
    assert await silence_of(pbx, "*100") == pytest.approx(60.0, abs=0.5)


@pytest.mark.ringfence(site=IMPATIENT)
async def test_the_site_may_wait_less(pbx: PbxUnderTest) -> None:
    assert await silence_of(pbx, "200") == pytest.approx(10.0, abs=0.5)


@pytest.mark.ringfence(site=IMPATIENT)
async def test_who_vanished_is_told_by_its_reason_wherever_one_looks(pbx: PbxUnderTest) -> None:
    """In the BYE (RFC 3326), the event stream, the log, the journal, and for the decision that the BYE names."""
    event_log.follow(pbx.server.switch.stream)
    with capture_logs() as logged:
        async with RawCaller(pbx) as caller:
            await caller.invite("*100")
            caller.ack()
            bye = await caller.request_from_server()
            caller.respond(bye, 200)
    decision = bye.get("x-license-decision")
    assert (bye.get("reason") or "").startswith("Q.850;cause=41")
    assert bye.get("x-license-reason") == "media.lost"
    refused, ended = await pbx.wait_for(Refused), await pbx.wait_for(CallEnded)
    assert (refused.decision, refused.reason, ended.cause) == (decision, "media.lost", 41)
    (line,) = [line for line in logged if line["event"] == "call.refused"]
    assert (line["reason"], line["decision"]) == ("media.lost", decision)
    entries = (await pbx.server.journal.find()).entries
    assert {(entry.kind, entry.reason, entry.cause) for entry in entries} == {
        ("refusal", "media.lost", None), ("call", None, 41),
    }  # fmt: skip
    kept = pbx.server.switch.decisions.get(decision or "")
    assert kept is not None
    assert kept.refusal.reason == "media.lost"


@pytest.mark.ringfence(site=IMPATIENT)
async def test_reports_alone_do_not_keep_a_channel(pbx: PbxUnderTest) -> None:
    """RTCP tells that somebody is there, not that he speaks: RFC 3550 knows no liveness by it for a telephone."""
    async with RawCaller(pbx) as caller:
        answer = await caller.invite("200")
        caller.ack()
        above = Sdp.parse(answer.body).media[0].port + 1
        heard: list[bytes] = []
        line = await pbx.server.options.network.bind("127.0.0.30", 0, lambda data, _: heard.append(data))
        for _ in range(9):
            await asyncio.sleep(1.0)
            line.send(rtcp.report(7, None, (), b"x"), Address("127.0.0.1", above))
        assert pbx.pools.ip_channel.used == 1
        assert any(rtcp.parse(data) is not None for data in heard)
        await asyncio.sleep(2.0)
        assert pbx.pools.ip_channel.used == 0
        line.close()


@pytest.mark.parametrize("seconds", ["0", "-1", "0.5", "1e9", "nan"])
def test_a_time_that_no_leg_can_wait_is_refused(seconds: str) -> None:
    with pytest.raises(SiteError, match=r"no leg can be silent for .* write 1 to 3600"):
        Site.parse(SMALL + f"\n[media]\nsilent_s = {seconds}\n")
