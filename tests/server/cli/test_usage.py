from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringfence.server.cli import application

from .command import one_sentence, ringfence

FILE = str(files("ringfence") / "fixtures" / "sites" / "small.toml")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nothing"], "No such command 'nothing'; ringfence --help tells what there is"),
        (["licence", "nothing"], "No such command 'nothing'; ringfence licence --help tells what there is"),
        (["serve", "--nothing"], "No such option: --nothing; ringfence serve --help tells what there is"),
        (["audit", "export"], "Missing option '--data'; ringfence audit export --help tells what there is"),
        (["serve", "--sip-port", "x"], "Invalid value for '--sip-port'"),
        (["serve", "--log-level", "loud"], "Invalid value for '--log-level'"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_2(words: list[str], sentence: str) -> None:
    assert sentence in one_sentence(*words)


@pytest.mark.parametrize("door", ["sip", "sips", "http", "csta", "smtp"])
@pytest.mark.parametrize("port", ["-1", "65536", "700000000000000000000"])
def test_a_port_out_of_range_is_told_with_its_option(door: str, port: str) -> None:
    told = f"--{door}-port {port} is no port; name one from 1 to 65535, or 0 for any free one"
    assert told in one_sentence("serve", FILE, f"--{door}-port", port)


def test_help_lists_the_commands_that_exist() -> None:
    shown = CliRunner().invoke(application([]), ["--help"])
    assert shown.exit_code == 0
    for command in ("demo", "serve", "doctor", "licence", "token", "audit"):
        assert command in shown.stdout


def test_who_calls_for_nothing_is_helped() -> None:
    assert "what-if" in ringfence("licence").output


def test_json_is_utf_8_whatever_the_terminal() -> None:
    site = files("ringfence") / "fixtures" / "sites" / "musterfirma.toml"
    command = [str(Path(sys.executable).with_name("ringfence")), "licence", "overview", str(site), "--json"]
    shown = subprocess.run(
        command, capture_output=True, check=True, env={"LC_ALL": "C", "PYTHONUTF8": "0"}
    ).stdout
    assert "München" in json.loads(shown.decode("utf-8"))["locations"]


def test_a_command_that_needs_no_tables_and_no_database_imports_neither() -> None:
    code = (
        "import sys; from ringfence.server.cli import application\n"
        "application(sys.argv[1:])(standalone_mode=False)\n"
        "print(sorted({'rich', 'sqlalchemy', 'aiohttp', 'cryptography'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "licence", "explain", FILE, "anna", "cti"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"
