from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.features.voicemail.pin import RULE
from ringfence.features.voicemail.pin_locks import MOST_WRONG

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest

    from .conftest import Client


@pytest.fixture
def locked(pbx: PbxUnderTest) -> str:
    """A user whose box is locked."""
    for _ in range(MOST_WRONG):
        pbx.server.owners.try_pin(pbx.server.boxes.box_of("anna"), "", "0000")
    return "anna"


async def test_a_locked_box_is_listed_and_opened_again(client: Client, locked: str) -> None:
    (entry,) = await client.get("pin-locks")
    assert (entry["user"], set(entry)) == (locked, {"user", "until"})
    assert (await client.ask("DELETE", f"/api/v1/pin-locks/{locked}")).status == 204
    assert await client.get("pin-locks") == []
    status, reason, detail = await client.refused("DELETE", f"pin-locks/{locked}")
    assert (status, reason) == (404, "not_found")
    assert detail == 'The voicemail box of "anna" is not locked.'
    assert (await client.refused("DELETE", "pin-locks/nobody"))[0] == 404


async def test_a_user_may_not_open_a_box_and_a_sub_administrator_only_those_of_his_locations(
    client: Client, locked: str
) -> None:
    """L-62."""
    himself = await client.holder(kind="user", user=locked, client="web")
    assert (await himself.refused("DELETE", f"pin-locks/{locked}"))[:2] == (403, "auth.forbidden")
    assert (await client.ask("POST", "/api/v1/locations", json={"name": "Ulm"})).status == 201
    elsewhere = await client.holder(kind="sub_administrator", locations=["Ulm"], name="u")
    assert await elsewhere.get("pin-locks") == []
    assert (await elsewhere.refused("DELETE", f"pin-locks/{locked}"))[0] == 403


@pytest.mark.parametrize("pin", ["1234", "4321", "1111", "1", "1234567890", "82a4"])
async def test_a_pin_with_a_run_is_refused_by_one_sentence_for_new_users_and_for_old_ones(
    client: Client, pin: str
) -> None:
    new = {"name": "x", "location": "Haus", "extension": "150", "password": "p", "voicemail_pin": pin}
    status, reason, detail = await client.refused("POST", "users", json=new)
    assert (status, reason, detail) == (
        422,
        "request.invalid",
        f'The voicemail_pin of "x" is not a PIN; {RULE}.',
    )
    detail = (await client.refused("PATCH", "users/anna", json={"voicemail_pin": pin}))[2]
    assert detail == f'The voicemail_pin of "anna" is not a PIN; {RULE}.'
    path = "users/anna/settings/voicemail/voicemail_pin"
    assert (await client.refused("PUT", path, json={"value": pin}))[0] == 422
    assert (await client.get("users/anna"))["voicemail_pin"] == "8264"
