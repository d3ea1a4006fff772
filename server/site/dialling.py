"""Dial parameters of a site: each location's once, of countries that there are. Part of `checks`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .problem import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...features.dialling.settings import Dialling
    from .problem import KeyPath
    from .site import Site

_DIGITS = re.compile(r"[0-9]{0,6}")


def dialling_problems(site: Site) -> Iterator[Problem]:
    """Dial parameters that are none, of no location, or there twice; and trunks that want some which are not there."""
    locations = [one.name for one in site.locations]
    seen: set[str | None] = set()
    for index, one in enumerate(site.dialling):
        path = ("dialling", index)
        if one.location in seen:
            whose = "of all other locations" if one.location is None else f'of "{one.location}"'
            yield Problem(path, f"the dial parameters {whose} are there twice", "remove one of them")
        seen.add(one.location)
        if one.location is not None and one.location not in locations:
            what = f'the location "{one.location}" of dial parameters is not there'
            remedy = closest(one.location, locations, "add a [[location]] of that name")
            yield Problem((*path, "location"), what, remedy)
        yield from _one(path, one)
    for index, trunk in enumerate(site.trunks):
        if trunk.number_format != "as_dialled" and None not in seen:
            what = f'the trunk "{trunk.name}" wants numbers as {trunk.number_format}, and no country says how'
            yield Problem(("trunk", index, "number_format"), what, "add [[dialling]] without a location")


def _one(path: KeyPath, one: Dialling) -> Iterator[Problem]:
    from ...features.dialling.conversion import is_country  # noqa: PLC0415 - asked where there are any

    if not re.fullmatch(r"[1-9][0-9]{0,2}", one.country) or not is_country(one.country):
        what = f'no country has the calling code "{one.country}"'
        yield Problem((*path, "country"), what, 'write it without + and zeros, as "49"')
    for key in ("area", "exit_code", "national_prefix", "international_prefix"):
        value = getattr(one, key)
        if value is not None and not _DIGITS.fullmatch(value):
            yield Problem((*path, key), f'the {key} "{value}" cannot be dialled', "use up to 6 digits")
    if one.area.startswith("0") and one.national_prefix is None and one.country != "39":
        what = f'the area "{one.area}" begins with the prefix of national numbers'
        yield Problem((*path, "area"), what, f'write "{one.area.lstrip("0")}"')
