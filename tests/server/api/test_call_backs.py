"""Whom a user waits for to be free, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.features.telephone.call_back import WANTED_S
from ringfence.server.switch.events import CallBackEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client

WISH = "users/clara/call_back"


async def test_who_waits_for_somebody_sees_it_and_takes_it_away(client: Client, pbx: PbxUnderTest) -> None:
    ben, clara = await pbx.phone("101"), await pbx.phone("102")
    ben.busy_with = 486
    own = await client.holder(kind="user", user="clara", client="connect")
    assert (await own.refused("GET", WISH))[:2] == (404, "not_found")
    assert (await clara.dial("101")).reason == "user.busy"
    asking = await clara.dial("**31")
    await asking.answered()
    assert await own.get(WISH) == {
        "called": "ben",
        "number": "101",
        "seconds": pytest.approx(WANTED_S, abs=5),
    }
    other = await client.holder(kind="user", user="emil", client="connect", name="e")
    assert (await other.refused("DELETE", WISH))[:2] == (403, "auth.forbidden")
    assert (await own.ask("DELETE", f"/api/v1/{WISH}")).status == 204
    assert (await pbx.wait_for(CallBackEnded)).outcome == "cancelled"
    assert (await client.refused("DELETE", WISH))[:2] == (404, "not_found")
