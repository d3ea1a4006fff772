"""How a site wants its licences dealt, as licensing takes it: `[licensing]` and the contingents of the locations.

Administration and the command line hand it to allocation and gate; `problems` is what the site reader checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.catalogue import DEALT_LICENCES, MOST_OF_A_LICENCE, USER_LICENCES
from ...licensing.keys import key_id
from ...licensing.modes import Enforce, Grace, Mode, Modes, Overdraft, Warn
from ...licensing.order import ServiceOrder
from .problem import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .problem import KeyPath
    from .site import PoolMode, Site

_LONGEST_GRACE_DAYS = 3650
_DEFAULTS: dict[str, Mode] = {
    "enforce": Enforce(),
    "warn": Warn(),
    "grace": Grace(),
    "overdraft": Overdraft(),
}


def service_order(site: Site) -> ServiceOrder:
    """Reservations, and contingents in file order (A-01, L-64)."""
    contingents = {one.name: one.contingent for one in site.locations if one.contingent}
    return ServiceOrder(site.licensing.reservations, contingents)


def modes(site: Site) -> Modes:
    """The mode of each pool."""
    own = {key: _mode(one) for key, one in site.licensing.modes.items()}
    return Modes(_DEFAULTS[site.licensing.mode], own)


def _mode(told: PoolMode) -> Mode:
    if told.overdraft is not None:
        return Overdraft(told.overdraft)
    if told.grace_days is not None:
        return Grace(told.grace_days, told.grace_percent)
    if told.grace_percent is not None:
        return Grace(percent=told.grace_percent)
    return _DEFAULTS[told.mode or "enforce"]


def problems(site: Site) -> Iterator[Problem]:
    """What is wrong with `[licensing]`, the contingents, and functions that it does not go with."""
    settings = site.licensing
    dealt = DEALT_LICENCES if settings.tapi == "configured" else USER_LICENCES
    users = [user.name for user in site.users]
    known = set(users)
    for key, names in settings.reservations.items():
        path: KeyPath = ("licensing", "reservations", key)
        yield from _unknown(path, key, dealt, "is reserved")
        for index, name in enumerate(names):
            if name not in known:
                what = f'"{name}", for whom {key} is reserved, is no user'
                remedy = closest(name, users, "add the user or remove the name")
                yield Problem((*path, index), what, remedy)
    for key, told in settings.modes.items():
        path = ("licensing", "modes", key)
        yield from _unknown(path, key, dealt, "has a mode")
        yield from _mode_problems(path, key, told)
    for index, text in enumerate(settings.trusted_keys):
        try:
            key_id(text)
        except ValueError:
            what = "an entry of trusted_keys is no public key"
            remedy = 'write the line of a .pub file, "ed25519:" and 64 hexadecimal digits'
            yield Problem(("licensing", "trusted_keys", index), what, remedy)
    for index, location in enumerate(site.locations):
        for key, count in location.contingent.items():
            path = ("location", index, "contingent", key)
            yield from _unknown(path, key, dealt, "has a contingent")
            if not 0 <= count <= MOST_OF_A_LICENCE:
                yield Problem(path, f"{count} is not a number of {key} licences", "write 0 or more")


def _unknown(path: KeyPath, key: str, dealt: Iterable[str], what: str) -> Iterator[Problem]:
    if key in dealt:
        return
    known = f"use one of {', '.join(dealt)}"
    if key == "tapi_line":
        yield Problem(path, f'"{key}" {what}, but is not dealt to users', 'write tapi = "configured" first')
    else:
        yield Problem(path, f'"{key}" {what}, but is no licence of users', closest(key, dealt, known))


def _mode_problems(path: KeyPath, key: str, told: PoolMode) -> Iterator[Problem]:
    numbers = {
        "grace_days": (told.grace_days, 1, _LONGEST_GRACE_DAYS),
        "grace_percent": (told.grace_percent, 0, 1000),
        "overdraft": (told.overdraft, 0, MOST_OF_A_LICENCE),
    }
    for name, (value, least, most) in numbers.items():
        if value is not None and not least <= value <= most:
            yield Problem((*path, name), f"{value} is no {name} of {key}", f"write {least} to {most}")
    named = {
        "grace" if name.startswith("grace") else name
        for name, (value, _, _) in numbers.items()
        if value is not None
    }
    if told.mode is not None:
        named.add(told.mode)
    if len(named) != 1:
        what = f"the mode of {key} is {' and '.join(sorted(named)) or 'not told'}"
        yield Problem(path, what, 'write one of { grace_days = 14 }, { overdraft = 5 } and { mode = "warn" }')
