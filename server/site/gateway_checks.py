"""What must hold for `[one_number]`: numbers of its own, and a pattern that finds an extension. Part of `checks`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .numbers import holders, is_number
from .problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Site

_MOST = 200


def gateway_problems(site: Site) -> Iterator[Problem]:
    """Everything that is wrong with the gateway of OneNumber."""
    gateway = site.one_number
    if gateway.pattern is not None and (why := _wrong(gateway.pattern)):
        remedy = "write one with one group for the extension, e.g. '8955550([0-9]+)$'"
        yield Problem(("one_number", "pattern"), f'the pattern "{gateway.pattern}" {why}', remedy)
    if gateway.prefix is not None:
        if not is_number(gateway.prefix):
            what = f'the prefix "{gateway.prefix}" of OneNumber is no number'
            yield Problem(("one_number", "prefix"), what, "use 1 to 20 digits")
        clash = next((one for one in holders(site) if one[1].startswith(gateway.prefix)), None)
        if clash is not None:
            what = f'the prefix "{gateway.prefix}" of OneNumber begins the number {clash[1]} of {clash[2]}'
            yield Problem(("one_number", "prefix"), what, "use one that begins no number")


def _wrong(pattern: str) -> str:
    if len(pattern) > _MOST:
        return f"is longer than {_MOST} characters"
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        return f"is no regular expression ({error})"
    return "" if groups == 1 else f"has {groups} groups"
