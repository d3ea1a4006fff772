"""The feature codes of a site: each means one thing, and is in the way of no number.

Part of `checks`. A default code that is in the way gives way, as the reader asks `unused_defaults`; one that the file
names is a mistake.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from ...features.feature_codes.settings import BEFORE_DIGITS, BEFORE_NUMBERS
from .numbers import holders, is_prefix
from .problem import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ...features.feature_codes.settings import FeatureCodes
    from .site import Site

_TABLE = "feature_codes"
_MOST_SLOTS = 99
_SHORTEST_PARK_S, _LONGEST_PARK_S = 5.0, 3600.0


def code_problems(site: Site) -> Iterator[Problem]:
    """Codes that are none, that mean two things, or with which somebody's number begins."""
    taken = _taken(site)
    for feature, code in _codes(site.feature_codes).items():
        if not is_prefix(code):
            what = f'the code "{code}" of {feature} cannot be dialled'
            yield Problem((_TABLE, feature), what, 'use 1 to 4 of 0-9, * and #, or "" for no code')
        elif (clash := _clash(feature, site, taken)) is not None:
            what = f'the code "{code}" of {feature} is in the way of {clash}'
            yield Problem((_TABLE, feature), what, "give it another code of its own in [feature_codes]")
    yield from _groups(site)
    if not 1 <= site.parking.slots <= _MOST_SLOTS:
        what = f"there cannot be {site.parking.slots} slots to park calls in"
        yield Problem(("parking", "slots"), what, f"write 1 to {_MOST_SLOTS}")
    if not _SHORTEST_PARK_S <= site.parking.after_s <= _LONGEST_PARK_S:
        what = f"nobody is rung back after {site.parking.after_s:g} seconds"
        remedy = f"write {_SHORTEST_PARK_S:g} to {_LONGEST_PARK_S:g}"
        yield Problem(("parking", "after_s"), what, remedy)


def unused_defaults(site: Site, written: Collection[str]) -> FeatureCodes:
    """The codes of `site` without those that its file has not `written` and that are in the way of something."""
    taken = _taken(site)
    off = {
        feature: ""
        for feature in _codes(site.feature_codes)
        if feature not in written and _clash(feature, site, taken) is not None
    }
    return replace(site.feature_codes, **off)


def _codes(codes: FeatureCodes) -> dict[str, str]:
    """The codes that there are, by their feature."""
    return {one.name: code for one in fields(codes) if (code := getattr(codes, one.name))}


def _taken(site: Site) -> dict[str, str]:
    """Everybody's number, and whose it is."""
    found = {number: holder for _, number, holder in holders(site)}
    found |= {site.voicemail.box_number(one.extension): f'the mailbox of "{one.name}"' for one in site.users}
    return found | dict.fromkeys(site.numbers.emergency, "the emergency numbers")


def _clash(feature: str, site: Site, taken: Mapping[str, str]) -> str | None:
    """What else a code might mean."""
    code = getattr(site.feature_codes, feature)
    for other, theirs in _codes(site.feature_codes).items():
        if other != feature and (_begins(code, theirs, feature) or _begins(theirs, code, other)):
            return f'the code "{theirs}" of {other}'
    for number, holder in taken.items():
        if _begins(code, number, feature):
            return f"{number}, which belongs to {holder}"
    tests = site.test_numbers
    if tests.enabled and _overlap(code, tests.prefix, feature):
        return f"the test numbers, which begin with {tests.prefix}"
    for plan in site.dialling:
        if plan.exit_code and _overlap(code, plan.exit_code, feature):
            return f"the exit code {plan.exit_code}"
    for trunk in site.trunks:
        if trunk.outbound_prefix and _overlap(code, trunk.outbound_prefix, feature):
            return f'what is dialled for the trunk "{trunk.name}"'
    return None


def _begins(code: str, number: str, feature: str) -> bool:
    """Whether whoever dials `number` has dialled the code."""
    rest = number.removeprefix(code)
    return number == code or (
        feature in {*BEFORE_DIGITS, *BEFORE_NUMBERS} and rest != number and rest.isdecimal()
    )


def _overlap(code: str, prefix: str, feature: str) -> bool:
    return code.startswith(prefix) or _begins(code, prefix, feature)


def _groups(site: Site) -> Iterator[Problem]:
    names = {user.name for user in site.users}
    for index, group in enumerate(site.pickup_groups):
        for person in group.members:
            if person not in names:
                what = f'"{person}" in the members of the pickup group "{group.name}" is no user'
                remedy = closest(person, names, "add the user or remove the name")
                yield Problem(("pickup_group", index, "members"), what, remedy)
