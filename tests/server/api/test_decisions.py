from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


async def test_a_refused_call_is_explained_for_every_interface(client: Client, pbx: PbxUnderTest) -> None:
    pbx.pools.ip_channel.limit = 0
    call = await (await pbx.phone("100")).dial("*101")
    decision = await client.get(f"decisions/{call.decision}")
    assert decision["reason"] == call.reason == "ip_channel.exhausted"
    assert decision["facts"] == {"used": 0, "limit": 0}
    assert decision["sip"] == {
        "status": 503,
        "q850_cause": 34,
        "reason": 'Q.850;cause=34;text="no IP channel"',
    }
    assert decision["tapi"]["error"]["name"] == "LINEERR_CALLUNAVAIL"
    assert decision["tapi"]["disconnect"]["name"] == "LINEDISCONNECTMODE_CONGESTION"
    assert decision["csta"]["value"] == "trunkLimitExceeded"
    assert decision["http"] == {"status": 429, "retry_after_s": 5}
    assert decision["sentence"].startswith("No IP channel is free: 0 of 0 are in use.")
    assert decision["sentence_de"].startswith("Kein IP-Kanal ist frei")
    assert decision["user"] == "anna"


async def test_a_refused_registration_has_the_steps_that_led_to_it(client: Client, pbx: PbxUnderTest) -> None:
    response = await (await pbx.phone("dora", register=False)).register()
    decision = await client.get(f"decisions/{response.get('X-License-Decision')}")
    assert decision["reason"] == "license.office_plus.under_licensed"
    (failed,) = [step for step in decision["chain"] if not step["passed"]]
    assert failed["text"].startswith("dora is number 3 of 3")


async def test_a_forwarded_call_tells_its_first_cause(client: Client, pbx: PbxUnderTest) -> None:
    pbx.pools.ip_channel.limit = 0
    call = await (await pbx.phone("101")).dial("100")
    decision = await client.get(f"decisions/{call.decision}")
    assert decision["reason"] == "ip_channel.exhausted"
    assert decision["first_cause"]["reason"] == "user.not_registered"


async def test_an_unknown_decision_is_404(client: Client) -> None:
    assert (await client.refused("GET", "decisions/d-0"))[:2] == (404, "not_found")
