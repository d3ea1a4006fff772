"""A server that has more to do than it can: 503 with Retry-After for what is new, everything else goes on.

RFC 3261 21.5.4. In virtual time nothing is ever late, so the test says how long datagrams have waited;
`bench/overload.py` shows it with real ones.
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

from ringfence.server.sip.overload import PATIENCE_S, QUIET_S, RESENT_S
from ringfence.server.switch.events import OverloadBegan, OverloadEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.switch.stream import Stamped

SMALL = (files("ringfence.fixtures") / "sites" / "small.toml").read_text(encoding="utf-8")
pytestmark = pytest.mark.virtual_time


def wait(pbx: PbxUnderTest, waited_s: float) -> None:
    """Let the datagrams that are taken now have waited so long."""
    pbx.server.sip_load.note_wait(waited_s, pbx.server.clock.now())


async def overload(pbx: PbxUnderTest, waited_s: float = 0.4) -> None:
    """Let datagrams wait for long, and go on with it."""
    wait(pbx, waited_s)
    await asyncio.sleep(PATIENCE_S * 2)
    wait(pbx, waited_s)


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "SUBSCRIBE", "MESSAGE"])
async def test_new_requests_are_turned_away_without_a_transaction(pbx: PbxUnderTest, method: str) -> None:
    await overload(pbx)
    for host in ("192.0.2.66", "127.0.0.30", "127.0.0.1"):
        stranger = await Stranger.at(pbx, host)
        answer = await stranger.ask(stranger.request(method, target="sip:08955550100@klein.example"))
        assert answer is not None
        assert answer.status == 503
        assert answer.get("retry-after") in {"5", "6", "7", "8"}
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
    wait(pbx, 0.0)
    call = await ben.dial("9900")
    assert call.status == 200
    await call.hang_up()


async def test_those_who_are_turned_away_at_once_do_not_come_back_at_once(pbx: PbxUnderTest) -> None:
    """RFC 3261 20.33: the seconds of Retry-After are spread."""
    await overload(pbx)
    stranger = await Stranger.at(pbx, "192.0.2.66")
    answers = [await stranger.ask(stranger.request("INVITE")) for _ in range(20)]
    assert {one.get("retry-after") for one in answers if one is not None} == {"5", "6", "7", "8"}


WITH_WAY_OUT = SMALL.replace(
    'numbers = "08955550"\n', 'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\noutbound_prefix = "9"\n'
)


@pytest.mark.ringfence(site=WITH_WAY_OUT)
@pytest.mark.parametrize("number", ["110", "112", "9112"])
async def test_an_emergency_call_is_never_turned_away(pbx: PbxUnderTest, number: str) -> None:
    """Nor dropped, with or without the digit for an outside line."""
    ben = await pbx.phone("101")
    await overload(pbx, waited_s=RESENT_S * 2)
    call = await ben.dial(number)
    assert call.status == 200
    await call.hang_up()
    assert (pbx.server.sip_load.shed, pbx.server.sip_load.dropped) == (0, 0)


@pytest.mark.parametrize("target", ["sip:112@klein.example", "sip:1123@klein.example"])
async def test_nothing_else_is_spared(pbx: PbxUnderTest, target: str) -> None:
    """A registration that names an emergency number is none, and neither is a longer number."""
    await overload(pbx)
    stranger = await Stranger.at(pbx, "192.0.2.66")
    method = "REGISTER" if "112@" in target else "INVITE"
    answer = await stranger.ask(stranger.request(method, target=target))
    assert answer is not None
    assert answer.status == 503


async def test_what_waits_too_long_is_dropped_and_taken_when_it_comes_again(pbx: PbxUnderTest) -> None:
    """RFC 3261 17.1.1.2: the request is sent again after T1."""
    ben = await pbx.phone("101")
    await overload(pbx, waited_s=RESENT_S * 2)
    asyncio.get_running_loop().call_later(0.3, wait, pbx, 0.0)
    call = await ben.dial("9900")
    assert call.status == 200
    await call.hang_up()
    assert pbx.server.sip_load.dropped == 1
    assert "ringfence_sip_dropped_total 1.0" in pbx.server.metrics.text().decode()


async def test_two_events_tell_of_an_overload(pbx: PbxUnderTest) -> None:
    """However many are turned away, `overload.began` and `overload.ended` stand in the stream once."""
    told: list[tuple[float, object]] = []

    def hear(stamped: Stamped) -> None:
        if isinstance(stamped.event, OverloadBegan | OverloadEnded):
            told.append((stamped.at_s, stamped.event))

    pbx.server.stream.listen(hear)
    stranger = await Stranger.at(pbx, "192.0.2.66")
    await overload(pbx)
    began = pbx.server.clock.now()
    for _ in range(30):
        answer = await stranger.ask(stranger.request("INVITE"))
        assert answer is not None
        assert answer.status == 503
        await asyncio.sleep(QUIET_S / 2)
        wait(pbx, 0.4)
    wait(pbx, 0.0)
    last = pbx.server.clock.now() - QUIET_S / 2
    await asyncio.sleep(QUIET_S * 3)
    (began_at, first), (ended_at, second) = told
    assert (first, second) == (OverloadBegan(), OverloadEnded(30))
    assert began_at == pytest.approx(began, abs=0.05)
    assert ended_at == pytest.approx(last + QUIET_S, abs=0.05)
    await overload(pbx)
    assert (await stranger.ask(stranger.request("INVITE"))) is not None
    assert told[2][1] == OverloadBegan()


async def test_an_emergency_call_of_an_account_passes_the_rate_of_its_source(pbx: PbxUnderTest) -> None:
    """The rate is for those who have proved nothing; a neighbour behind the same NAT may have used it up."""
    host, target = "192.0.2.66", "sip:112@klein.example"
    stranger = await Stranger.at(pbx, host)
    challenge = await stranger.challenge("INVITE", target=target)
    while pbx.server.identity._rates.allow(host, pbx.server.clock.now()):
        pass
    assert await stranger.ask(stranger.request("INVITE", target=target), wait_s=0.05) is None
    await overload(pbx)
    contact = ("Contact", f"<sip:100@{stranger.endpoint.local}>")
    told = await stranger.prove(
        "Anna-1000-Apfel", contact, method="INVITE", target=target, challenge=challenge
    )
    assert told is not None
    assert told[1].status == 200
