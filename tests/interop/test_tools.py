"""A missing program is told: a skip with its reason on a developer's machine, a failure where CI promised it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(("ci", "status", "verdict"), [("", 0, "1 skipped"), ("true", 1, "1 error")])
def test_without_the_program_a_test_is_left_out_but_not_in_ci(
    ci: str, status: int, verdict: str, tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", HERE / "test_tshark.py"],
        env={**os.environ, "PATH": str(tmp_path), "CI": ci},
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status, run.stdout
    assert verdict in run.stdout
    assert "tshark is not on this machine" in run.stdout
