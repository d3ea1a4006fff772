"""What the README shows is run: its tests, its commands, and its files."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    \.venv/bin/ringfence (.*)$", README, re.MULTILINE)


def test_the_tests_pass_and_have_ten_lines_each(tmp_path: Path) -> None:
    tests = re.findall(r"```python\n(async def test_.*?)```", README, re.DOTALL)
    assert len(tests) == 3
    assert all(len(code.splitlines()) <= 10 for code in tests)
    (tmp_path / "test_readme.py").write_text("import asyncio\n\n\n" + "\n\n".join(tests), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
    assert "3 passed" in run.stdout


@pytest.mark.checkout
def test_the_commands_work_one_after_the_other(tmp_path: Path) -> None:
    """Servers are started on free ports, and ended once they are ready."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    ringfence = str(Path(sys.executable).with_name("ringfence"))
    assert len(COMMANDS) > 9
    for command in COMMANDS:
        line = [ringfence, *shlex.split(command)]
        serves = command.startswith("serve")
        line += ("--sip-port", "0", "--sips-port", "0", "--http-port", "0") if serves else ()
        with subprocess.Popen(
            line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            if serves:
                assert any("Ctrl+C" in told for told in process.stdout), command
                process.terminate()
            told, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, ""), command
        assert told or serves, command


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
