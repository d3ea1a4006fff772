"""What is not on every machine: programs and libraries of others, optional ones of our own.

`@pytest.mark.needs("sipp")` names what a test needs.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import NoReturn

import pytest


def require(name: str) -> None:
    """Leave the test out where the program, or the library, is missing."""
    if shutil.which(name) is None and find_spec(name) is None:
        leave_out(f"{name} is not on this machine: `make test` installs it, a program as root on Debian")


def leave_out(reason: str) -> NoReturn:
    """Skip on a developer's machine, but fail where CI promised to install what is missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
