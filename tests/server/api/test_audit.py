"""The audit log over HTTP: every change with who made it, page by page and whole."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.server.app import Options, Pbx

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Client


async def move(client: Client, *groups: str) -> None:
    for group in groups:
        change = {"location": "Haus", "group": group}
        assert (await client.ask("PATCH", "/api/v1/users/anna", json=change)).status == 200


async def test_a_page_is_newest_first_and_leads_to_the_next(client: Client) -> None:
    await move(client, "Lager", "Vertrieb")
    whole = await client.get("audit?limit=1000")
    assert whole["before"] is None
    rows, before = [], ""
    while before is not None:
        page = await client.get(f"audit?limit=3{before and f'&before={before}'}")
        assert len(page["entries"]) <= 3
        rows += page["entries"]
        before = page["before"]
    assert rows == whole["entries"]
    assert [row["seq"] for row in rows] == list(range(len(rows), 0, -1))
    newest, older = rows[0], rows[1]
    assert newest["previous"] == older["hash"]
    assert newest["actor"] == "administrator"


async def test_rows_are_found_by_who_and_by_what(client: Client) -> None:
    await move(client, "Lager")
    (moved,) = (await client.get("audit?kind=user.moved&actor=administrator"))["entries"]
    assert (moved["detail"]["user"], moved["detail"]["to_group"]) == ("anna", "Lager")
    assert (await client.get("audit?kind=user.moved&actor=server"))["entries"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "before=x", "limit=1&limit=2", "who=x"]
)
async def test_a_page_that_cannot_be_is_422(client: Client, query: str) -> None:
    assert (await client.refused("GET", f"audit?{query}"))[:2] == (422, "request.invalid")


async def test_the_export_is_the_whole_log_as_csv_and_json(client: Client) -> None:
    await move(client, "Lager")
    rows = (await client.get("audit?limit=1000"))["entries"][::-1]
    table = await client.ask("GET", "/api/v1/audit/export")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert [int(row["seq"]) for row in csv.DictReader(io.StringIO(table.body.decode()))] == [
        row["seq"] for row in rows
    ]
    exported = await client.get("audit/export?format=json")
    assert [(row["hash"], row["detail"]) for row in exported] == [
        (row["hash"], row["detail"]) for row in rows
    ]
    assert (await client.refused("GET", "audit/export?format=xml"))[:2] == (422, "request.invalid")


async def test_a_changed_row_is_the_first_broken_link(client: Client, pbx: PbxUnderTest) -> None:
    await move(client, "Lager")
    whole = await client.get("audit/verify")
    assert whole == {"whole": True, "rows": whole["rows"], "broken_at": None, "what": None}
    forge = "UPDATE audit SET actor = 'nobody' WHERE seq = 2"
    await pbx.server.store.unit.run(lambda connection: connection.exec_driver_sql(forge).rowcount)
    broken = await client.get("audit/verify")
    assert (broken["whole"], broken["rows"], broken["broken_at"]) == (False, whole["rows"], 2)
    assert "row 2" in broken["what"]


async def test_a_log_on_the_disk_is_read_beside_the_writer(
    client: Client, pbx: PbxUnderTest, tmp_path: Path
) -> None:
    server = await Pbx.start(pbx.server.site, Options(seed=2, data_dir=tmp_path / "data"))
    other = PbxUnderTest(server)
    try:
        headers = {"Authorization": f"Bearer {other.token}"}
        reply = await client.ask("GET", f"{other.http}/api/v1/audit/export?format=json", headers=headers)
        assert json.loads(reply.body)[0]["kind"] == "site.imported"
        verdict = await client.ask("GET", f"{other.http}/api/v1/audit/verify", headers=headers)
        assert verdict.json["whole"]
    finally:
        await other.stop()
