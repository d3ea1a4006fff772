from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from ringfence.server.store.unit import InlineRunner, ThreadRunner, Unit, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture(params=[InlineRunner, ThreadRunner])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Unit]:
    unit: Unit = request.param(connect(tmp_path / "unit.sqlite"))
    yield unit
    unit.close()
    unit.close()


def make(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE t (x)")


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM t").scalar() or 0)


async def test_a_unit_is_kept_whole_or_not_at_all(unit: Unit) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        raise LookupError

    await unit.run(make)
    with pytest.raises(LookupError):
        await unit.run(fail)
    assert await unit.run(count) == 0


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
async def test_the_database_is_set_to_lose_nothing(unit: Unit, pragma: str, value: object) -> None:
    assert await unit.run(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()) == value


async def test_units_run_one_after_the_other(unit: Unit) -> None:
    await unit.run(make)

    def add(connection: Connection) -> int:
        before = count(connection)
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        return before

    assert await asyncio.gather(*(unit.run(add) for _ in range(5))) == [0, 1, 2, 3, 4]


async def test_the_writer_thread_is_not_the_loops_and_inline_is() -> None:
    for runner, same in ((InlineRunner, True), (ThreadRunner, False)):
        unit = runner(connect(None))
        assert (await unit.run(lambda _: threading.get_ident()) == threading.get_ident()) is same
        unit.close()
