"""The command line run in this process, for tests that look at its answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from ringfence.server.cli import application

if TYPE_CHECKING:
    from typer.testing import Result


def ringfence(*words: object) -> Result:
    """The result of `ringfence …`."""
    line = [str(word) for word in words]
    return CliRunner().invoke(application(line), line, prog_name="ringfence")


def json_of(*words: object) -> Any:
    """What `ringfence … --json` prints, with exit 0."""
    result = ringfence(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout_bytes)


def one_sentence(*words: object) -> str:
    """What `ringfence …` says when it gives up: exit 2, one sentence on standard error and nothing else."""
    result = ringfence(*words)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.startswith("ringfence: ")
    assert result.stderr.count("\n") == 1
    return result.stderr
