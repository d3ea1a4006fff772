"""Programs and libraries of others, each in a process of its own."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.served import Served, serving

from .program import Telephone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The small site; indirect parameters are (text, replacement)."""
    text = (files("ringfence.fixtures") / "sites" / "small.toml").read_text(encoding="utf-8")
    before, after = getattr(request, "param", ("", ""))
    assert before in text
    path = tmp_path / "site.toml"
    path.write_text(text.replace(before, after) if before else text, encoding="utf-8")
    return path


@pytest.fixture
def served(site: Path) -> Iterator[Served]:
    with serving(site) as server:
        yield server


PASSWORDS = {
    "100": "Anna-1000-Apfel",
    "101": "Ben-1010-Birne",
    "102": "Clara-1020-Kirsche",
    "dora": "Dora-1030-Dattel",
}


@pytest.fixture
def phone(served: Served, tmp_path: Path) -> Iterator[Callable[..., Telephone]]:
    """Start one of `phones` for an account of the small site; afterwards all quit."""
    started: list[Telephone] = []

    def start(kind: str, account: str, *words: str, tone_hz: int = 620) -> Telephone:
        password = PASSWORDS[account]
        started.append(
            Telephone(kind, tmp_path / account, served.sip, account, password, *words, tone_hz=tone_hz)
        )
        return started[-1]

    yield start
    for one in started:
        one.quit()
