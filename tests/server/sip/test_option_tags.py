"""Extensions in Supported and Require, methods in Allow (RFC 3261 20.5, 20.32, 20.37)."""

from __future__ import annotations

import pytest

from ringfence.server.sip.message import Request
from ringfence.server.sip.option_tags import allows, supports


def request(*headers: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:a@b.example", headers)


@pytest.mark.parametrize(
    ("headers", "supported"),
    [
        ((), False),
        ((("Supported", "timer"),), True),
        ((("k", "replaces , Timer"),), True),
        ((("Require", "timer"),), True),
        ((("Supported", "replaces"), ("Supported", "x,timer")), True),
        ((("Supported", "timers"),), False),
        ((("Supported", ""),), False),
        ((("Unsupported", "timer"),), False),
    ],
)
def test_an_extension_is_supported_where_it_is_named(
    headers: tuple[tuple[str, str], ...], *, supported: bool
) -> None:
    """RFC 3261 20.37; whoever requires it has it as well."""
    assert supports(request(*headers), "timer") is supported


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ((), None),
        ((("Allow", "INVITE, UPDATE"),), True),
        ((("Allow", "INVITE"), ("Allow", "UPDATE")), True),
        ((("Allow", "INVITE"),), False),
        ((("Allow", "update"),), False),
        ((("Allow", ""),), False),
    ],
)
def test_a_method_is_allowed_where_it_is_named(
    headers: tuple[tuple[str, str], ...], *, allowed: bool | None
) -> None:
    """RFC 3261 20.5: no Allow says nothing; methods are compared as they are written."""
    assert allows(request(*headers), "UPDATE") is allowed
