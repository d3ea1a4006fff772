"""A server that has more to do than it can: 503 with Retry-After for what is new, everything else goes on.

RFC 3261 21.5.4. In virtual time nothing is ever late, so the test says that datagrams wait; `bench/overload.py` shows
it with real ones.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

if TYPE_CHECKING:
    from ringfence.channels.network import Endpoint
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time


def socket_of(pbx: PbxUnderTest) -> Endpoint:
    endpoint = pbx.server._stack._endpoint
    assert endpoint is not None
    return endpoint


async def overload(pbx: PbxUnderTest) -> None:
    """Let datagrams wait for a second."""
    socket_of(pbx).behind_since = pbx.server.clock.now()
    await asyncio.sleep(1)


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "SUBSCRIBE", "MESSAGE"])
async def test_new_requests_are_turned_away_without_a_transaction(pbx: PbxUnderTest, method: str) -> None:
    await overload(pbx)
    for host in ("192.0.2.66", "127.0.0.30", "127.0.0.1"):
        stranger = await Stranger.at(pbx, host)
        answer = await stranger.ask(stranger.request(method, target="sip:08955550100@klein.example"))
        assert answer is not None
        assert (answer.status, answer.get("retry-after")) == (503, "5")
        assert answer.get("x-license-reason") == "server.overloaded"
    assert pbx.server._stack.agent.is_idle
    assert "ringfence_sip_shed_total 3.0" in pbx.server.metrics.text().decode()


async def test_options_are_answered_meanwhile(pbx: PbxUnderTest) -> None:
    await overload(pbx)
    stranger = await Stranger.at(pbx, "192.0.2.66")
    answer = await stranger.ask(stranger.request("OPTIONS"))
    assert answer is not None
    assert answer.status == 200


async def test_calls_in_progress_go_on_and_end(pbx: PbxUnderTest) -> None:
    """RFC 3261 12.2: a request inside a dialog is no new work."""
    ben = await pbx.phone("101")
    call = await ben.dial("9900")
    await overload(pbx)
    refused = await ben.dial("9900")
    assert refused.status == 503
    await call.hang_up()
    assert not pbx.server.switch.calls


async def test_it_recovers_as_soon_as_nothing_waits(pbx: PbxUnderTest) -> None:
    ben = await pbx.phone("101")
    await overload(pbx)
    assert (await ben.dial("9900")).status == 503
    socket_of(pbx).behind_since = None
    call = await ben.dial("9900")
    assert call.status == 200
    await call.hang_up()
