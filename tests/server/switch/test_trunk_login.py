"""A trunk whose far end challenges is answered with the trunk's own account, and a callee's challenge is not."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.sip.credentials import Challenge, Credentials
from ringfence.server.sip.digest import Nonces, Verdict, ha1
from ringfence.server.sip.message import Request
from ringfence.server.sip.parser import parse

if TYPE_CHECKING:
    from ringfence.channels.network import Address, Endpoint
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
SITE = read_site("small").text.replace(
    'numbers = "08955550"\n',
    'numbers = "08955550"\nuri = "sip:127.0.0.31:5070"\nusername = "firma"\npassword = "Amt-3100-Tor"\n',
)


class FarEnd:
    """Challenges each INVITE with 407, and notes what comes back."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self.bare = 0
        self.endpoint: Endpoint | None = None
        self._nonces = Nonces(Random(1))

    def receive(self, data: bytes, source: Address) -> None:
        request = parse(data)
        if not isinstance(request, Request) or request.method != "INVITE" or self.endpoint is None:
            return
        header = request.get("proxy-authorization")
        if header is None:
            self.bare += 1
            answer = request.respond(407, to_tag="far")
            answer.add("Proxy-Authenticate", str(Challenge("amt", self._nonces.mint(0.0, "127.0.0.1"))))
        else:
            credentials = Credentials.parse(header)
            assert credentials is not None
            secret = ha1("firma", "amt", "Amt-3100-Tor")
            self.verdicts.append(
                self._nonces.verify(credentials, "INVITE", request.uri, secret, 1.0, source="127.0.0.1")
            )
            answer = request.respond(486, to_tag="far")
        self.endpoint.send(answer.to_bytes(), source)


@pytest.mark.ringfence(site=SITE)
async def test_the_trunk_s_challenge_is_answered_once(pbx: PbxUnderTest) -> None:
    far = FarEnd()
    far.endpoint = await pbx.server.options.network.bind("127.0.0.31", 5070, far.receive)
    ben = await pbx.phone("101")
    call = await ben.dial("0731123")
    assert (call.status, far.verdicts, far.bare) == (486, [Verdict.OK], 1)


@pytest.mark.ringfence(site=SITE.replace("username", 'realm = "amt"\nusername'))
async def test_the_realm_of_the_site_is_answered(pbx: PbxUnderTest) -> None:
    far = FarEnd()
    far.endpoint = await pbx.server.options.network.bind("127.0.0.31", 5070, far.receive)
    call = await (await pbx.phone("101")).dial("0731123")
    assert (call.status, far.verdicts, far.bare) == (486, [Verdict.OK], 1)


@pytest.mark.ringfence(site=SITE.replace("username", 'realm = "other"\nusername'))
async def test_another_realm_than_that_of_the_site_gets_no_credentials(pbx: PbxUnderTest) -> None:
    """RFC 3261 22.3: whoever is reached beyond the trunk may ask, and gets no hash of the password to guess at."""
    far = FarEnd()
    far.endpoint = await pbx.server.options.network.bind("127.0.0.31", 5070, far.receive)
    call = await (await pbx.phone("101")).dial("0731123")
    assert call.status >= 400
    assert (far.verdicts, far.bare) == ([], 1)


@pytest.mark.ringfence(site=SITE)
async def test_a_phone_that_challenges_gets_no_credentials(pbx: PbxUnderTest) -> None:
    far = FarEnd()
    far.endpoint = await pbx.server.options.network.bind("127.0.0.31", 5070, far.receive)
    clara, ben = await pbx.phone("102"), await pbx.phone("101")
    clara.busy_with = 407
    call = await ben.dial("102")
    await asyncio.sleep(1)
    assert call.status == 480
    assert not far.verdicts
