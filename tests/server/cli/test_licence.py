from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from ringfence.server.cli import application
from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

if TYPE_CHECKING:
    from typer.testing import Result

TEXT = """\
[entitlements]
server = 1
ip_channel = 2
auto_attendant = 1
office = 1
office_plus = 1
[[location]]
name = "Ulm/Süd"
functions = ["cti"]
[[location.group]]
name = "Plus"
functions = ["softphone"]
[[location]]
name = "Bonn"
functions = ["chat"]
[[user]]
name = "anna"
location = "Ulm/Süd"
group = "Plus"
extension = "100"
password = "a-1"
[[user]]
name = "ben"
location = "Ulm/Süd"
group = "Plus"
extension = "101"
password = "b-2"
[[user]]
name = "clara"
location = "Bonn"
extension = "102"
password = "c-3"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "firma.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(*words: object) -> Result:
    line = ["licence", *map(str, words)]
    return CliRunner().invoke(application(line), line)


def answer(*words: object) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    parsed: dict[str, Any] = json.loads(result.stdout_bytes)
    return parsed


def refusal(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_the_overview_has_the_agreed_shape(file: Path) -> None:
    overview = answer("overview", file)
    agreed = {"scheme_version", "pools", "users", "locations", "channels", "warnings"}
    assert set(overview) == agreed | {"developer", "packages", "modes", "contingents"}
    assert overview["pools"]["office"] == {"bought": 2, "required": 3, "assigned": 2, "missing": 1}
    assert overview["locations"]["Bonn"]["office"] == {"required": 1, "assigned": 0, "missing": 1}
    assert overview["channels"] == {"ip_channel": 2, "auto_attendant": 20, "data_sources": 10}
    assert [user["user"] for user in overview["users"]] == ["anna", "ben", "clara"]


def test_the_overview_of_a_store_is_that_of_its_site(file: Path, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data", Opening(Site.read(file), at=0.0))
    try:
        assert answer("overview", "--data", tmp_path / "data") == answer("overview", file)
    finally:
        store.close()


def test_a_person_reads_tables(file: Path) -> None:
    shown = run("overview", file).stdout
    assert "Office Plus" in shown
    assert "under_licensed" in shown
    assert "20 attendant channels" in shown


def test_explain_gives_the_chain_as_data_and_as_sentences(file: Path) -> None:
    explained = answer("explain", file, "ben", "softphone")
    assert explained["reason"] == "license.office_plus.under_licensed"
    assert False in [step["passed"] for step in explained["steps"]]
    assert explained["text"] in run("explain", file, "ben", "softphone").stdout


def test_what_if_tells_who_would_gain(file: Path) -> None:
    bought = answer("what-if", file, "--add", "office_plus=1")
    assert [user["user"] for user in bought["users"]] == ["ben", "clara"]
    assert "Office Plus" in run("what-if", file, "--add", "office_plus=1").stdout
    assert "Nothing changes for any user." in run("what-if", file).stdout


@pytest.mark.parametrize("place", ["Ulm/Süd/Plus", "Ulm/Süd", "Bonn"])
def test_a_location_with_a_slash_can_be_moved_to(file: Path, place: str) -> None:
    moved = answer("what-if", file, "--move", f"clara={place}", "--add", "office=5", "--add", "office_plus=5")
    assert "clara" in [user["user"] for user in moved["users"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["overview", "FILE", "--licence", "order.lic"],
            "order.lic: the licence package cannot be read (No such file or directory)",
        ),
        (["overview"], "name either a site file or, with --data, the directory of a store"),
        (
            ["overview", "FILE", "--data", "."],
            "name either a site file or, with --data, the directory of a store",
        ),
        (["overview", "--data", "/dev/null"], "/dev/null: there is no store; name the directory"),
        (["overview", "nowhere.toml"], "nowhere.toml: the site file is not there; check the path"),
        (["explain", "FILE", "ana", "cti"], 'the user "ana" is not there; did you mean "anna"?'),
        (
            ["explain", "FILE", "anna", "softfone"],
            'the function "softfone" is not known; did you mean "softphone"?',
        ),
        (
            ["what-if", "FILE", "--add", "office"],
            '--add "office" is not KEY=N; write e.g. --add office_plus=10',
        ),
        (["what-if", "FILE", "--add", "office=1_0"], '--add "office=1_0" is not KEY=N; write e.g.'),
        (["what-if", "FILE", "--add", "offis=1"], 'the licence "offis" is not known; did you mean "office"?'),
        (["what-if", "FILE", "--move", "anna"], '--move "anna" is not USER=LOCATION/GROUP; write e.g.'),
        (["what-if", "FILE", "--move", "anna=Bonn/Plus"], 'the group "Plus" is not there in "Bonn"'),
        (["what-if", "FILE", "--move", "anna=Köln"], 'the location "Köln" is not there'),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(file: Path, words: list[str], sentence: str) -> None:
    assert sentence in refusal(*(str(file) if word == "FILE" else word for word in words))


def test_a_bad_site_file_names_file_line_and_remedy(file: Path) -> None:
    file.write_text(TEXT.replace("ip_channel", "ip_chanel"), encoding="utf-8")
    assert refusal("overview", file).endswith(
        'firma.toml, line 3: the licence "ip_chanel" is not known; did you mean "ip_channel"?\n'
    )


def test_json_is_utf_8_whatever_the_terminal(file: Path) -> None:
    command = [str(Path(sys.executable).with_name("ringfence")), "licence", "overview", str(file), "--json"]
    shown = subprocess.run(
        command, capture_output=True, check=True, env={"LC_ALL": "C", "PYTHONUTF8": "0"}
    ).stdout
    assert "Ulm/Süd" in json.loads(shown.decode("utf-8"))["locations"]


def test_help_lists_the_commands_that_exist() -> None:
    shown = CliRunner().invoke(application([]), ["--help"])
    assert shown.exit_code == 0
    assert "licence" in shown.stdout
    assert CliRunner().invoke(application(["nothing"]), ["nothing"]).exit_code == 2


def test_a_command_that_needs_no_tables_and_no_database_imports_neither(file: Path) -> None:
    code = (
        "import sys; from ringfence.server.cli import application\n"
        "application(sys.argv[1:])(standalone_mode=False)\n"
        "print(sorted({'rich', 'sqlalchemy', 'aiohttp'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "licence", "explain", str(file), "anna", "cti"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"
