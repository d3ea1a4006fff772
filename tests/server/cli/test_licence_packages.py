"""`ringfence licence keygen`, `issue`, `verify` and `import`: one sentence where a package does not count."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

RINGFENCE = str(Path(sys.executable).with_name("ringfence"))
SITE = """
[server]
domain = "eins.example"
[entitlements]
server = 1
[[location]]
name = "Haus"
functions = ["softphone"]
[[user]]
name = "anna"
location = "Haus"
extension = "100"
password = "Anna-1000-Apfel"
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RINGFENCE, "licence", *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package signed by a key of the test."""
    assert run("keygen", tmp_path / "own.key").returncode == 0
    made = run(
        "issue", "--key", tmp_path / "own.key", "--add", "office=1", "--add", "office_plus=1",
        "--until", "2099-12-31", "--out", tmp_path / "order.lic",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return tmp_path / "order.lic"


def test_a_package_is_made_read_and_verified_with_its_key(tmp_path: Path, package: Path) -> None:
    assert '"office":1' in package.read_text(encoding="utf-8")
    assert (tmp_path / "own.key").stat().st_mode & 0o777 == 0o600
    good = run("verify", package, "--trust", tmp_path / "own.key.pub")
    assert good.returncode == 0, good.stderr
    strange = run("verify", package)
    assert (strange.returncode, strange.stdout) == (2, "")
    assert strange.stderr.count("\n") == 1


def test_a_key_is_never_overwritten(tmp_path: Path, package: Path) -> None:
    before = (tmp_path / "own.key").read_bytes()
    assert run("keygen", tmp_path / "own.key").returncode == 2
    assert (tmp_path / "own.key").read_bytes() == before
    assert package.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.replace(b'"office":1', b'"office":9'),
        lambda data: data[:-1],
        lambda data: data.replace(b'"office":1', b'"office":1,"office":1'),
        lambda data: data.replace(b'"office":1', b'"office":-1'),
        lambda data: data.replace(b"2099", b"9999"),
        lambda _: b"[" * 10_000_000,
    ],
    ids=["one bit", "cut", "duplicate key", "negative", "year 9999", "10 MB"],
)
def test_a_spoilt_package_is_one_sentence_and_exit_2(
    tmp_path: Path, package: Path, spoil: Callable[[bytes], bytes]
) -> None:
    package.write_bytes(spoil(package.read_bytes()))
    refused = run("verify", package, "--trust", tmp_path / "own.key.pub")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_developer_key_serves_whoever_waits(tmp_path: Path) -> None:
    site, order = tmp_path / "firma.toml", tmp_path / "dev.lic"
    site.write_text(SITE, encoding="utf-8")
    issued = run(
        "issue", "--key", "developer", "--add", "office_plus=1", "--until", "2099-12-31", "--out", order
    )
    assert issued.returncode == 0, issued.stderr
    before = json.loads(run("overview", site, "--json").stdout)
    after = json.loads(run("overview", site, "--licence", order, "--json").stdout)
    assert before["users"][0]["assigned"] == []
    assert after["users"][0]["assigned"] == ["office", "office_plus"]
    assert after["developer"] is True
