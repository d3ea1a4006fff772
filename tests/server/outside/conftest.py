"""One served Ringfence for this folder: a process of its own, spoken to by sockets alone."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.served import Served, serving

from .outsider import PHONE, STRANGER, TRUNK, Outsider

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = Path(str(files("ringfence.fixtures") / "sites" / "small.toml"))


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """Serve the small site until the tests of this folder are over."""
    with serving(SITE) as server:
        yield server


@pytest.fixture
def phone(served: Served) -> Iterator[Outsider]:
    """Somebody at a trusted address."""
    with Outsider(served.sip, PHONE) as one:
        yield one


@pytest.fixture
def other(served: Served) -> Iterator[Outsider]:
    """Somebody else there."""
    with Outsider(served.sip, PHONE) as one:
        yield one


@pytest.fixture
def stranger(served: Served) -> Iterator[Outsider]:
    """Somebody at an address that means nothing to the server."""
    with Outsider(served.sip, STRANGER) as one:
        yield one


@pytest.fixture
def trunk(served: Served) -> Iterator[Outsider]:
    """The far end of the trunk."""
    with Outsider(served.sip, TRUNK) as one:
        yield one
