"""What is missing is told: a skip with its reason on a developer's machine, a failure where CI promised it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = {
    "tshark": "interop/test_tshark.py",
    "G722": "channels/media/test_wideband.py",
    "espeakng_loader": "channels/media/test_workshop.py::test_a_text_is_spoken",
}
HIDDEN = "import sys; sys.modules['G722'] = sys.modules['espeakng_loader'] = None"


@pytest.mark.parametrize(("ci", "status", "verdict"), [("", 0, "skipped"), ("true", 1, "errors")])
def test_without_what_it_needs_a_test_is_left_out_but_not_in_ci(
    ci: str, status: int, verdict: str, tmp_path: Path
) -> None:
    """No program is on the path; a module that hides the libraries stands first on Python's."""
    (tmp_path / "sitecustomize.py").write_text(HIDDEN)
    search = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    files = [HERE / file for file in FILES.values()]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-qrs", "-p", "no:cacheprovider", *files],
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": search, "CI": ci},
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status, run.stdout
    assert re.fullmatch(rf"\d+ {verdict} in .*", run.stdout.splitlines()[-1])
    assert set(re.findall(r"(\w+) is not on this machine", run.stdout)) == set(FILES)
