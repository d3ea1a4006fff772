"""A peer that vanishes is noticed by its RTP, and its channel is free again: `[media] silent_s`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.media import rtcp
from ringfence.channels.network import Address
from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.sdp import Sdp
from ringfence.server.site.site import Site, SiteError

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
