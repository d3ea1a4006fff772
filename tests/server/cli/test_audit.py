from __future__ import annotations

import csv
import io
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from ringfence.server.cli import application
from ringfence.server.site.acts import MoveUser
from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

from ..desks import AT, desk_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A store in which something was done."""
    store = Store.open(tmp_path / "data", Opening(Site.sample("small"), at=AT))
    await desk_of(store).apply(MoveUser("anna", "Haus", "Lager"), actor="root")
    store.close()
    return tmp_path / "data"


def run(*arguments: object) -> Result:
    words = ["audit", *map(str, arguments)]
    return CliRunner().invoke(application(words), words)


def test_a_whole_log_is_exit_0_and_counts_its_rows(data: Path) -> None:
    result = run("verify", "--data", data)
    assert result.exit_code == 0
    rows = len(list(csv.reader(io.StringIO(run("export", "--data", data).stdout)))) - 1
    assert result.stdout == f"The audit log is whole: {rows} rows.\n"


def test_a_broken_log_is_exit_2_and_names_the_first_broken_link(data: Path) -> None:
    connection = sqlite3.connect(data / "ringfence.sqlite")
    connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq >= 3")
    connection.commit()
    connection.close()
    result = run("verify", "--data", data)
    assert result.exit_code == 2
    assert result.stderr == (
        f"ringfence: {data}: the audit log is broken at row 3: row 3 is not what was written: its hash is another; "
        "compare it with an export\n"
    )


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_names_actor_act_and_effect(data: Path, form: str) -> None:
    result = run("export", "--data", data, "--format", form)
    assert result.exit_code == 0
    text = result.stdout
    rows = list(csv.DictReader(io.StringIO(text))) if form == "csv" else json.loads(text)
    kinds = [row["kind"] for row in rows if row["actor"] == "root"]
    assert kinds[0] == "user.moved"
    assert "licence.released" in kinds


def test_the_log_of_a_running_server_can_be_read(data: Path) -> None:
    store = Store.open(data, Opening(None, at=AT))
    assert run("verify", "--data", data).exit_code == 0
    store.close()


def test_where_there_is_no_store_it_is_one_sentence(tmp_path: Path) -> None:
    result = run("verify", "--data", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == (
        f"ringfence: {tmp_path}: there is no store; name the directory that was given to serve --data\n"
    )
