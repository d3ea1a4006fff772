"""Guessing at the door (docs/decisions/0017): same answers, delays, bans, and who is told of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.switch.stranger import Stranger

from ringfence.server.sip.credentials import Challenge
from ringfence.server.switch.events import SourceBanned

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.sip.message import Response

pytestmark = pytest.mark.virtual_time
RIGHT, WRONG = "Anna-1000-Apfel", "falsch"
HOST, OTHER, TRUSTED = "192.0.2.66", "192.0.2.67", "127.0.0.1"


def shape(response: Response) -> tuple[int, list[str], str | None]:
    """What an answer tells but for its nonces and tags."""
    parsed = [Challenge.parse(value) for value in response.all("www-authenticate")]
    return (
        response.status,
        [f"{one.realm} {one.algorithm} {one.stale} {one.qop}" for one in parsed if one is not None],
        response.get("warning"),
    )


async def registers(stranger: Stranger) -> bool:
    """Whether the right password is taken."""
    told = await stranger.prove(RIGHT)
    return told is not None and told[1].status == 200


async def guess_until_banned(stranger: Stranger, account: str = "100") -> int:
    """Guess, one after the other; returns how many guesses were answered by a challenge."""
    for number in range(40):
        told = await stranger.prove(WRONG, account=account)
        assert told is not None
        if told[1].status == 403:
            return number
        assert told[1].status == 401
    raise AssertionError("nobody was banned")


async def test_an_unknown_user_is_answered_like_a_wrong_password(pbx: PbxUnderTest) -> None:
    """Bug class 15: same answers and same times, from the first guess to the ban."""
    told: dict[str, list[tuple[float, tuple[int, list[str], str | None]]]] = {}
    for account, host in (("100", HOST), ("nobody", OTHER)):
        stranger = await Stranger.at(pbx, host)
        told[account] = []
        for _ in range(22):
            answer = await stranger.prove(WRONG, account=account)
            assert answer is not None
            told[account].append((round(answer[0], 3), shape(answer[1])))
    assert told["100"] == told["nobody"]
    assert told["100"][-1][1][0] == 403


async def test_from_the_fifth_failure_the_answer_waits(pbx: PbxUnderTest) -> None:
    stranger = await Stranger.at(pbx, HOST)
    told = [await stranger.prove(WRONG) for _ in range(8)]
    waited = [round(one[0], 1) for one in told if one is not None]
    assert waited == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 2.0]
    assert pbx.server._stack.agent.is_idle


async def test_guesses_side_by_side_do_not_go_round_the_delay(pbx: PbxUnderTest) -> None:
    """While an answer waits nothing of that source for that account is looked at, not even the right password."""
    stranger = await Stranger.at(pbx, HOST)
    for _ in range(7):
        await stranger.prove(WRONG)
    challenges = [await stranger.challenge() for _ in range(50)]
    before = len(stranger.answers)
    for challenge in challenges:
        shown = challenge.answer("100", WRONG, "REGISTER", "sip:klein.example", cnonce="c")
        stranger.send(stranger.request("REGISTER", ("Authorization", str(shown))))
    await asyncio.sleep(10)
    assert len(stranger.answers) == before + 1
    assert len(pbx.server._stack.agent.timers) < 100


async def test_twenty_failures_are_a_ban_that_an_administrator_sees(pbx: PbxUnderTest) -> None:
    told: list[SourceBanned] = []
    pbx.server.stream.listen(
        lambda stamped: told.append(stamped.event) if isinstance(stamped.event, SourceBanned) else None
    )
    stranger = await Stranger.at(pbx, HOST)
    assert await guess_until_banned(stranger) == 19
    assert told == [SourceBanned(HOST, "100", 600.0)]
    right = await stranger.prove(RIGHT)
    assert right is not None
    assert (right[1].status, right[1].get("x-license-reason")) == (403, "auth.banned")
    metrics = pbx.server.metrics.text().decode()
    assert 'ringfence_events_total{event="source.banned"} 1.0' in metrics
    assert "ringfence_banned_sources 1.0" in metrics


async def test_a_ban_locks_the_account_for_nobody_else_and_ends(pbx: PbxUnderTest) -> None:
    stranger, other = await Stranger.at(pbx, HOST), await Stranger.at(pbx, OTHER)
    await guess_until_banned(stranger)
    assert await registers(other)
    ben = await stranger.prove("Ben-1010-Birne", account="101")
    assert ben is not None
    assert ben[1].status == 200
    await asyncio.sleep(600)
    anna = await stranger.prove(RIGHT)
    assert anna is not None
    assert anna[1].status == 200


async def test_trusted_sources_guess_without_delay_but_never_without_a_password(pbx: PbxUnderTest) -> None:
    trusted = await Stranger.at(pbx, TRUSTED)
    for _ in range(60):
        told = await trusted.prove(WRONG)
        assert told is not None
        assert (told[1].status, round(told[0], 1)) == (401, 0.0)
    assert await registers(trusted)


async def test_who_forges_an_address_has_nobody_banned_by_it(pbx: PbxUnderTest) -> None:
    """A guess counts only with a nonce that was made for its source, which who forges an address never sees."""
    forger, victim = await Stranger.at(pbx, OTHER), await Stranger.at(pbx, HOST)
    for _ in range(60):
        challenge = await forger.challenge()
        shown = challenge.answer("100", WRONG, "REGISTER", "sip:klein.example", cnonce="c")
        told = await victim.ask(victim.request("REGISTER", ("Authorization", str(shown))))
        assert told is not None
        assert "stale=true" in (told.get("www-authenticate") or "")
    assert await registers(victim)


async def test_strangers_have_a_rate_and_trusted_sources_have_none(pbx: PbxUnderTest) -> None:
    stranger, trusted = await Stranger.at(pbx, HOST), await Stranger.at(pbx, TRUSTED)
    for one in (stranger, trusted):
        for _ in range(1500):
            one.send(one.request())
        await asyncio.sleep(1)
    assert (len(stranger.answers), len(trusted.answers)) == (1000, 1500)
    assert "ringfence_sip_unheard_total 500.0" in pbx.server.metrics.text().decode()
    ping = await stranger.ask(stranger.request("OPTIONS"))
    assert ping is not None
    assert ping.status == 200
