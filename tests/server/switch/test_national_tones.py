"""A caller who is transferred hears the ringing tone of the site's country."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.site.site import SiteError

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
SMALL = read_site("small").text


def with_tones(country: str) -> str:
    return SMALL.replace("[server]\n", f'[server]\ntones = "{country}"\n', 1)


async def ringback(pbx: PbxUnderTest, *frequencies_hz: int) -> float:
    """The share of what a caller hears while somebody is rung for him that lies at these frequencies."""
    caller, _ = await pbx.outside("+49731999"), await pbx.phone("101")
    call = await caller.dial("08955550200")
    await call.send_digits("2")
    await asyncio.sleep(0.5)
    await call.heard()
    await asyncio.sleep(6)
    heard = await call.heard()
    await call.hang_up()
    assert heard.rms > 100
    return sum(heard.power_at(frequency_hz) for frequency_hz in frequencies_hz)


async def test_a_site_has_german_tones_if_it_says_nothing(pbx: PbxUnderTest) -> None:
    assert await ringback(pbx, 425) > 0.9


@pytest.mark.ringfence(site=with_tones("us"))
async def test_a_site_may_have_those_of_another_country(pbx: PbxUnderTest) -> None:
    assert await ringback(pbx, 440, 480) > 0.9


async def test_a_country_without_tones_is_refused_with_those_that_have_some() -> None:
    with pytest.raises(SiteError, match=r"tones.*'at'.*'us'"):
        read_site(with_tones("xx"))
