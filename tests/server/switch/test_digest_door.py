"""Digest at the door of a whole server: both algorithms, nonces, replays and the URI (RFC 7616, RFC 8760)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

from ringfence.fixtures.plugin import read_site
from ringfence.server.site.reader import parse as parse_site
from ringfence.server.site.site import SiteError

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
HOST, PASSWORD = "192.0.2.66", "Anna-1000-Apfel"
SMALL = read_site("small").text
SHA_FIRST = SMALL.replace("[security]", '[security]\ndigest_algorithms = ["SHA-256", "MD5"]')
BOTH = SMALL.replace("[security]", '[security]\ndigest_algorithms = ["MD5", "SHA-256"]')


async def offered(pbx: PbxUnderTest) -> list[str]:
    stranger = await Stranger.at(pbx, HOST)
    answer = await stranger.ask(stranger.request())
    assert answer is not None
    return [value.split("algorithm=")[1].split(",")[0] for value in answer.all("www-authenticate")]


async def test_md5_alone_is_the_default(pbx: PbxUnderTest) -> None:
    """Telephones of today's distributions do not register where SHA-256 is offered at all (decision 14)."""
    assert await offered(pbx) == ["MD5"]


@pytest.mark.ringfence(site=BOTH)
async def test_each_algorithm_has_a_challenge_in_the_order_of_the_site(pbx: PbxUnderTest) -> None:
    """RFC 8760 2.3: the most preferred one is topmost."""
    assert await offered(pbx) == ["MD5", "SHA-256"]


@pytest.mark.ringfence(site=SHA_FIRST)
async def test_the_order_is_a_setting(pbx: PbxUnderTest) -> None:
    """RFC 8760 2.3: the most preferred one is topmost."""
    assert await offered(pbx) == ["SHA-256", "MD5"]


@pytest.mark.parametrize("listed", ["[]", '["MD5", "MD5"]', '["SHA-1"]'])
def test_a_list_that_makes_no_sense_is_an_error_of_the_site(listed: str) -> None:
    text = SMALL.replace("[security]", f"[security]\ndigest_algorithms = {listed}")
    with pytest.raises(SiteError, match="digest_algorithms"):
        parse_site(text, "site.toml")


@pytest.mark.ringfence(site=BOTH)
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_either_algorithm_proves_an_account(pbx: PbxUnderTest, algorithm: str) -> None:
    """RFC 8760 2.4."""
    stranger = await Stranger.at(pbx, HOST)
    told = await stranger.prove(PASSWORD, challenge=await stranger.challenge(algorithm=algorithm))
    assert told is not None
    assert told[1].status == 200


@pytest.mark.ringfence(site=SHA_FIRST)
async def test_our_own_phone_takes_the_topmost_that_it_speaks(pbx: PbxUnderTest) -> None:
    """RFC 8760 2.4."""
    await pbx.phone("100")
    assert len(pbx.server.registrar.bindings("100", 0.0)) == 1


@pytest.mark.ringfence(site=BOTH)
async def test_the_nonce_of_one_algorithm_is_stale_for_the_other(pbx: PbxUnderTest) -> None:
    stranger = await Stranger.at(pbx, HOST)
    strong = await stranger.challenge(algorithm="SHA-256")
    told = await stranger.prove(PASSWORD, challenge=replace(strong, algorithm="MD5"))
    assert told is not None
    assert (told[1].status, "stale=true" in (told[1].get("www-authenticate") or "")) == (401, True)


@pytest.mark.parametrize(
    ("nc", "status"), [(1, 401), (2, 200), (70, 200)], ids=["replay", "next", "far ahead"]
)
async def test_a_replay_is_refused_as_stale(pbx: PbxUnderTest, nc: int, status: int) -> None:
    """RFC 7616 3.3 and 3.4.5: a nonce count is good once; who counts on keeps his nonce."""
    stranger = await Stranger.at(pbx, HOST)
    challenge = await stranger.challenge()
    assert await stranger.prove(PASSWORD, challenge=challenge) is not None
    told = await stranger.prove(PASSWORD, challenge=challenge, nc=nc)
    assert told is not None
    assert told[1].status == status
    assert ("stale=true" in (told[1].get("www-authenticate") or "")) is (status == 401)


async def test_a_nonce_is_good_for_five_minutes(pbx: PbxUnderTest) -> None:
    stranger = await Stranger.at(pbx, HOST)
    challenge = await stranger.challenge()
    await asyncio.sleep(300)
    told = await stranger.prove(PASSWORD, challenge=challenge)
    assert told is not None
    assert (told[1].status, "stale=true" in (told[1].get("www-authenticate") or "")) == (401, True)


async def test_each_challenge_has_a_nonce_of_its_own(pbx: PbxUnderTest) -> None:
    stranger = await Stranger.at(pbx, HOST)
    assert len({(await stranger.challenge()).nonce for _ in range(20)}) == 20


async def test_credentials_for_another_uri_prove_nothing(pbx: PbxUnderTest) -> None:
    """RFC 7616 3.4.6."""
    stranger = await Stranger.at(pbx, HOST)
    challenge = await stranger.challenge()
    shown = challenge.answer("100", PASSWORD, "REGISTER", "sip:other.example", cnonce="c")
    told = await stranger.ask(stranger.request("REGISTER", ("Authorization", str(shown))))
    assert told is not None
    assert told.status == 401


@pytest.mark.parametrize(
    "shown",
    [
        'Digest username="100", username="101", realm="klein.example"',
        'Digest username=100, realm="klein.example", nonce="n", uri="sip:klein.example", response="0a"',
        'Digest username="100", realm="klein.example", nonce="n", uri="sip:klein.example", response="xyz"',
        'Digest username="100" realm="klein.example"',
    ],
    ids=["twice", "unquoted", "no hex", "no comma"],
)
async def test_malformed_credentials_are_400(pbx: PbxUnderTest, shown: str) -> None:
    """Bug class 9: Authorization has a strict parser of its own (RFC 3261 25.1)."""
    stranger = await Stranger.at(pbx, HOST)
    told = await stranger.ask(stranger.request("REGISTER", ("Authorization", shown)))
    assert told is not None
    assert told.status == 400
