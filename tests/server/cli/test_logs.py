from __future__ import annotations

import json
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.cli.logs import LogLevel, escaped

FORGED = "Anna\n2026 call.started \x1b[31m\u2028\x7f\x85"
SCRIPT = f"""
from ringfence.server.cli.logs import LogLevel, configure
configure(LogLevel.INFO)
import logging, structlog, sys
print("rich" in sys.modules)
structlog.get_logger().info("call.refused", what={FORGED!r})
structlog.get_logger().debug("call.started")
logging.getLogger("aiohttp.server").error("from %s", {FORGED!r})
"""


@given(st.text())
def test_no_text_forges_a_line_or_moves_a_cursor(text: str) -> None:
    line = escaped({"event": text})
    assert line.isprintable()
    assert line.isascii()
    assert json.loads(line) == {"event": text}


def test_levels_are_those_of_logging() -> None:
    assert [level.number for level in LogLevel] == [10, 20, 30, 40]


def test_events_and_records_of_libraries_are_json_lines_on_standard_error_without_rich() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    refused, record = map(json.loads, done.stderr.splitlines())
    assert (refused["event"], refused["level"], refused["what"]) == ("call.refused", "info", FORGED)
    assert (record["event"], record["level"]) == (f"from {FORGED}", "error")
