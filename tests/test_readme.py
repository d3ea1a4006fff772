"""What the README shows is run: its first test, its commands, and its files."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LICENCE_COMMANDS = re.findall(r"^    \.venv/bin/ringfence (licence .*)$", README, re.MULTILINE)


def test_the_first_test_passes_and_has_ten_lines(tmp_path: Path) -> None:
    code, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(code.splitlines()) <= 10
    (tmp_path / "test_first.py").write_text(code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout


@pytest.mark.checkout
@pytest.mark.parametrize("command", LICENCE_COMMANDS)
def test_the_licence_commands_work(command: str) -> None:
    ringfence = Path(sys.executable).with_name("ringfence")
    run = subprocess.run(
        [ringfence, *shlex.split(command)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout


@pytest.mark.checkout
def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.checkout
def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)?)\b", README)) - {"and"}
    assert named >= {"demo", "test", "check", "bench"}
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
