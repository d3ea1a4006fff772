"""What may be said of voicemail boxes: how they are dialled, how much they hold, their rules, who shares them.

Part of `checks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.conditions.fault import ConditionError
from ...features.declaration import SettingError
from ...features.voicemail.settings import RULES, SHARED_WITH, VOICEMAIL
from .calendars import calendars_of
from .declared import chosen
from .numbers import is_prefix
from .problem import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...features.conditions.calendar import Calendar
    from .problem import KeyPath
    from .site import Site, User

_LIMITS = {"longest_message_s": (1, 3600), "most_messages": (1, 10_000), "keep_days": (1, 3650)}


def box_problems(site: Site) -> Iterator[Problem]:
    """A prefix that no telephone has, limits that are none, rules that cannot be kept, and strangers."""
    voicemail = site.voicemail
    if not is_prefix(voicemail.direct_prefix):
        what = f'the direct_prefix "{voicemail.direct_prefix}" cannot be dialled'
        yield Problem(("voicemail", "direct_prefix"), what, "use 1 to 4 digits, * or #")
    for key, (least, most) in _LIMITS.items():
        value = getattr(voicemail, key)
        if value is not None and not least <= value <= most:
            what = f"{key} = {value:g} is no limit of a voicemail box"
            yield Problem(("voicemail", key), what, f"write {least} to {most}")
    try:
        calendars = calendars_of(site)
    except ConditionError:  # which `calendars` tells
        calendars = {}
    names = {user.name for user in site.users}
    for index, user in enumerate(site.users):
        if user.settings:
            path = ("user", index, "settings", VOICEMAIL)
            try:
                yield from _rules((*path, RULES.key), user, site, calendars)
                yield from _shared((*path, SHARED_WITH.key), user, names)
            except SettingError:  # which `declared` tells
                continue


def _rules(path: KeyPath, user: User, site: Site, calendars: Mapping[str, Calendar]) -> Iterator[Problem]:
    own = {user.extension, site.voicemail.box_number(user.extension)}
    rules = chosen(user, RULES)
    for number, rule in enumerate(rules or (), 1):
        which = f'in rule {number} of the box of "{user.name}"'
        try:
            rule.condition.require(calendars)
        except ConditionError as error:
            yield Problem(path, f"{error.what}, {which}", error.remedy)
        if rule.number in own:
            yield Problem(path, f"the transfer {which} leads back to it", "name another number")


def _shared(path: KeyPath, user: User, names: set[str]) -> Iterator[Problem]:
    members = chosen(user, SHARED_WITH)
    for name in members or ():
        if name not in names:
            what = f'"{name}" in the shared_with of "{user.name}" is no user'
            yield Problem(path, what, closest(name, names, "add the user or remove the name"))
