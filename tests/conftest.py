"""What holds for every test of the project."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings
from tests.needs import require

from ringfence.fixtures.leases import check_leases, check_nothing_left
from ringfence.server.app import Options, Pbx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.server.clock import Clock
    from ringfence.server.store.store import Store

settings.register_profile("ringfence", deadline=None)
settings.load_profile("ringfence")


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among the tests themselves: an eighth of the time goes into that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            require(name)


@pytest.fixture(autouse=True)
def _no_channel_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whichever way a test starts a PBX: the lease rule holds at every event, and nothing is left at the end."""
    started: list[Pbx] = []
    begin = Pbx.__init__

    def watched(self: Pbx, store: Store, options: Options, clock: Clock) -> None:
        begin(self, store, options, clock)
        started.append(self)
        self.stream.listen(lambda _: check_leases(self))

    monkeypatch.setattr(Pbx, "__init__", watched)
    yield
    structlog.reset_defaults()  # a command line that ran in this process has configured its own log
    for server in started:
        check_nothing_left(server)
