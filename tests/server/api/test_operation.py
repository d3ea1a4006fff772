from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Client


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"location": "Haus", "colour": "magenta"}', '"colour"'),
        (b'{"group": null}', '"location"'),
        (b'{"location": 7}', '"location"'),
        (b'{"location": "Haus", "group": ["Lager"]}', '"group"'),
        (b"[]", "The body"),
        (b"", "The body"),
        (b"{", "The body"),
        (b'{"location": "\xff"}', "The body"),
        (b"[" * 100_000, "The body"),
    ],
)
async def test_a_body_that_does_not_fit_is_422_and_names_the_field(
    client: Client, body: bytes, named: str
) -> None:
    status, reason, detail = await client.refused("PATCH", "users/anna", data=body)
    assert (status, reason) == (422, "request.invalid")
    assert named in detail
    assert "magenta" not in detail


async def test_a_nested_field_is_named_with_its_place(client: Client) -> None:
    _, _, detail = await client.refused("POST", "licences/what-if", json={"add": {"office": "many"}})
    assert '"add.office"' in detail


async def test_query_parameters_are_asked_for_and_unknown_ones_refused(client: Client) -> None:
    assert '"function"' in (await client.refused("GET", "licences/explain?user=anna"))[2]
    assert '"page"' in (await client.refused("GET", "users?page=2"))[2]


async def test_a_name_in_a_path_may_hold_any_letter(client: Client) -> None:
    assert (await client.refused("GET", "users/M%C3%BCller%2Fx%25"))[2].startswith(
        'The user "Müller/x%" is not there'
    )
