"""A call that is over is gone at once: what waits for a collection of garbage stops a busy server when it comes."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING
from weakref import ref

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.fixtures.pbx import PbxUnderTest

pytestmark = pytest.mark.virtual_time
UNTIL_FORGOTTEN_S = 40.0
"""Longer than the transactions of a call outlive it (64 x T1, RFC 3261 17)."""


@pytest.fixture
def nobody_collects() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nobody_collects")
@pytest.mark.parametrize("ends", ["caller", "server"])
async def test_nothing_of_a_call_that_is_over_waits_for_the_collector(pbx: PbxUnderTest, ends: str) -> None:
    call = await (await pbx.phone("100")).dial("99200")
    await call.answered()
    (connection,) = pbx.server.switch.connections.values()
    assert connection.leg is not None
    parts: list[ref[object]] = [ref(connection), ref(connection.call), ref(connection.leg)]
    if ends == "server":
        connection.hang_up()
    else:
        await call.hang_up()
    del connection
    await call.ended()
    await asyncio.sleep(UNTIL_FORGOTTEN_S)
    assert [part() for part in parts] == [None, None, None]
