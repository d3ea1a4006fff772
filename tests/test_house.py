"""The house keeps its own rules: floors, links and wheel agree, no file outgrows its room, none has a vague name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ringfence"
FLOORS = ("licensing", "channels", "features", "server", "fixtures")
VAGUE = {"utils", "helpers", "common", "manager", "base", "misc"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python_files() -> list[Path]:
    folders = (*FLOORS, "tests", "bench", "src/ringfence")
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def test_links_and_wheel_mapping_agree() -> None:
    links = {entry.name: entry.readlink().as_posix() for entry in SOURCE.iterdir() if entry.is_symlink()}
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    mapping = dict(wheel["sources"])
    assert mapping.pop("src/ringfence") == "ringfence"
    assert links == {floor: f"../../{floor}" for floor in FLOORS}
    assert mapping == {floor: f"ringfence/{floor}" for floor in FLOORS}
    own = {f"src/ringfence/{entry.name}" for entry in SOURCE.iterdir() if entry.is_file()}
    assert set(wheel["only-include"]) == own | set(FLOORS)


def test_the_import_contracts_see_through_the_links(tmp_path: Path) -> None:
    """A wrong import is put into a copy of the house: licensing asks a channel and reads the clock."""
    for folder in (*FLOORS, "src"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "licensing" / "gate.py").open("a", encoding="utf-8") as gate:
        gate.write("\nimport time\nfrom ..channels import pool\n")
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert re.search(r"Imports only go down.* BROKEN", run.stdout)
    assert re.search(r"Licensing is pure.* BROKEN", run.stdout)


@pytest.mark.parametrize("room", ["licensing", "features/conditions"])
def test_licensing_and_conditions_take_the_time_as_an_argument_and_never_read_it(room: str) -> None:
    """`datetime` is a value there; what would make it a clock is forbidden."""
    clock = re.compile(r"\b(now|utcnow|today|monotonic)\(")
    files = sorted((SOURCE / room).rglob("*.py"))
    assert files
    assert [file.name for file in files if clock.search(file.read_text(encoding="utf-8"))] == []


def test_no_room_is_longer_than_four_hundred_lines() -> None:
    """Test files may be longer: one for each module, however much its module has to show."""
    rooms = [file for file in python_files() if not file.is_relative_to(ROOT / "tests")]
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in rooms}
    assert {str(file.relative_to(ROOT)): length for file, length in lengths.items() if length > 400} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [file for file in python_files() if file.stem in VAGUE] == []


def test_no_group_is_repeated_possessively() -> None:
    """Python before 3.11.5, as Debian 12 has it, takes too much by `(?:…)*+` (python/cpython#106052)."""
    repeated = re.compile(r"[)}][*+?]\+(?! )")
    files = [file for floor in FLOORS for file in (SOURCE / floor).rglob("*.py")]
    assert len(files) > 200
    found = [file for file in files if repeated.search(file.read_text(encoding="utf-8"))]
    assert found == [], "write (?>(?:…)*) instead"


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.read_text(encoding="utf-8").split(".")[0].removeprefix("# ")) for page in pages]
    assert numbers == [int(page.name[:4]) for page in pages]
    assert len(set(numbers)) == len(numbers)


def test_the_requirements_are_pinned_and_name_no_host() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*( ; .+)?", line)] == []
    pinned = {line.partition("==")[0] for line in lines}
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"].values()
    wanted = {
        re.split(r"[\[<>=;]", need)[0] for needs in (project["dependencies"], *extras) for need in needs
    }
    assert wanted - {"ringfence"} <= pinned


def test_one_version_for_package_and_facade() -> None:
    facade = (SOURCE / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{PYPROJECT["project"]["version"]}"' in facade


def test_importing_the_plugin_imports_no_server() -> None:
    code = "import sys, ringfence.fixtures.plugin; print([n for n in sys.modules if n.startswith('ringfence.server')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
