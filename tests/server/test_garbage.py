"""When `serve` collects garbage, on a stand-in for Python's collector and once on the real one."""

import subprocess
import sys

import pytest

from ringfence.server import garbage
from ringfence.server.garbage import BUSY, MANY, Collector


class Recorded:
    """What was asked of the collector; `aside` objects are frozen, `new` ones have come."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.aside, self.new = 1000, 0

    def disable(self) -> None:
        self.asked.append("disable")

    def freeze(self) -> None:
        self.asked.append("freeze")

    def unfreeze(self) -> None:
        self.asked.append("unfreeze")

    def collect(self) -> None:
        self.asked.append("collect")

    def get_freeze_count(self) -> int:
        return self.aside

    def get_count(self) -> tuple[int, int, int]:
        return self.new, 0, 0

    def since(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    recorded = Recorded()
    monkeypatch.setattr(garbage, "gc", recorded)
    return recorded


def test_a_busy_server_puts_aside_and_looks_at_it_when_it_has_stopped_going_by_itself(
    recorded: Recorded,
) -> None:
    collector = Collector()
    assert recorded.since() == ["disable", "freeze"]
    for _ in range(3):
        collector.look(0.9)
    assert recorded.since() == ["freeze"] * 3
    for recorded.aside in (80_000, 50_000, 20_000):
        collector.look(0.02)
        assert recorded.since() == []
    collector.look(0.02)
    assert recorded.since() == ["unfreeze", "collect", "freeze"]
    collector.look(0.02)
    assert recorded.since() == []


def test_work_that_comes_back_meanwhile_goes_before(recorded: Recorded) -> None:
    collector = Collector()
    collector.look(0.9)
    collector.look(0.0)
    collector.look(2 * BUSY)
    collector.look(0.0)
    assert recorded.since() == ["disable", "freeze", "freeze", "freeze"]


def test_an_idle_server_collects_what_is_worth_it(recorded: Recorded) -> None:
    collector = Collector()
    recorded.new = MANY
    collector.look(BUSY)
    recorded.new = MANY + 1
    collector.look(BUSY)
    assert recorded.since() == ["disable", "freeze", "collect"]


CYCLES = """
import gc
from weakref import ref
from ringfence.server.garbage import Collector
class Node:
    pass
def cycle():
    node = Node()
    node.itself = node
    return ref(node)
collector = Collector()
busy = cycle()
collector.look(1.0)
assert not gc.isenabled() and busy() is not None
for _ in range(3):
    collector.look(0.0)
assert busy() is None
idle, more = cycle(), [[] for _ in range(20_000)]
collector.look(0.0)
assert idle() is None
"""


def test_a_cycle_is_collected_whether_it_was_made_by_a_busy_server_or_an_idle_one() -> None:
    subprocess.run([sys.executable, "-c", CYCLES], check=True)
