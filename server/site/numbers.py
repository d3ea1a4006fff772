"""The numbers of a site: each means one thing, and what leads to a number can be dialled.

Part of `checks`. A number is an extension, a fax number, an attendant, voicemail or an emergency number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...features.telephone.settings import LONGEST_RING_S
from .attendants import targets_of
from .declared import numbers_of
from .problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...features.telephone.settings import Forward
    from .problem import KeyPath
    from .site import Site, User

_DIGITS = re.compile(r"[0-9]{1,20}")
_DIALLED = re.compile(r"\+?[0-9*#]{1,32}")
_PREFIX = re.compile(r"[0-9*#]{1,4}")


def is_number(text: str) -> bool:
    """Whether `text` can be somebody's number: 1 to 20 ASCII digits."""
    return _DIGITS.fullmatch(text) is not None


def is_prefix(text: str) -> bool:
    """Whether `text` can be dialled before a number: 1 to 4 of 0-9, * and #."""
    return _PREFIX.fullmatch(text) is not None


def number_problems(site: Site) -> Iterator[Problem]:
    """Numbers that are none or are in use, and targets of forwardings and menus that lead nowhere."""
    yield from _emergency(site)
    yield from _claims(site)
    boxes = {site.voicemail.box_number(user.extension) for user in site.users}
    for index, user in enumerate(site.users):
        if user.forward is not None:
            yield from _forward(("user", index, "forward"), user, user.forward, site, boxes)
        for one in user.settings:
            path, which = (
                ("user", index, "settings", one.function, one.key),
                f'the {one.key} of "{user.name}"',
            )
            for target in numbers_of(one):
                yield from _target(path, which, target, site, boxes)
    for index, attendant in enumerate(site.attendants):
        for within, which, target in targets_of(attendant):
            yield from _target(("auto_attendant", index, *within), which, target, site, boxes)


def _emergency(site: Site) -> Iterator[Problem]:
    for index, number in enumerate(site.numbers.emergency):
        if not is_number(number):
            what = f'"{number}" is no emergency number'
            yield Problem(("numbers", "emergency", index), what, "use 1 to 20 digits")


def _claims(site: Site) -> Iterator[Problem]:
    taken = dict.fromkeys(site.numbers.emergency, "the emergency numbers")
    for path, number, holder in holders(site):
        if not is_number(number):
            what = f'the {path[-1]} "{number}" of {holder} is no number'
            yield Problem(path, what, "use 1 to 20 digits")
        elif number in taken:
            what = f"the {path[-1]} {number} of {holder} is in use by {taken[number]}"
            yield Problem(path, what, "give one of them another number")
        taken.setdefault(number, holder)
    for user in site.users:
        box = site.voicemail.box_number(user.extension)
        if box in taken:
            what = (
                f'the direct_prefix "{site.voicemail.direct_prefix}" makes the mailbox of "{user.name}" {box}'
            )
            remedy = "use a prefix that begins no number, for instance *"
            yield Problem(("voicemail", "direct_prefix"), f"{what}, which is {taken[box]}", remedy)


def holders(site: Site) -> Iterator[tuple[KeyPath, str, str]]:
    """Where each number stands, the number, and whose it is."""
    if site.voicemail.extension is not None:
        yield ("voicemail", "extension"), site.voicemail.extension, "voicemail"
    if site.one_number.number is not None:
        yield ("one_number", "number"), site.one_number.number, "OneNumber"
    for index, attendant in enumerate(site.attendants):
        holder = f'the attendant "{attendant.name}"'
        yield ("auto_attendant", index, "extension"), attendant.extension, holder
    for index, user in enumerate(site.users):
        yield ("user", index, "extension"), user.extension, f'the user "{user.name}"'
    for index, user in enumerate(site.users):
        if user.fax_number is not None:
            yield ("user", index, "fax_number"), user.fax_number, f'the user "{user.name}"'


def _forward(path: KeyPath, user: User, forward: Forward, site: Site, boxes: set[str]) -> Iterator[Problem]:
    for keys, target in forward.targets():
        which = f'the {" ".join(keys)} forwarding of "{user.name}"'
        yield from _target((*path, *keys), which, target, site, boxes)
        if target == user.extension:
            what = f"{which} leads back to its own extension {target}"
            yield Problem((*path, *keys), what, "name another number")
    if not 1 <= forward.after_s <= LONGEST_RING_S:
        what = f'after_s = {forward.after_s:g} in the forwarding of "{user.name}" is out of range'
        yield Problem((*path, "after_s"), what, f"write 1 to {LONGEST_RING_S} seconds")


def _target(path: KeyPath, which: str, target: str, site: Site, boxes: set[str]) -> Iterator[Problem]:
    prefix = site.voicemail.direct_prefix
    if not _DIALLED.fullmatch(target):
        yield Problem(path, f'the target "{target}" of {which} is no number', "use digits, * and # only")
    elif not prefix.isdigit() and target.startswith(prefix) and target not in boxes:
        what = f'the target "{target}" of {which} is nobody\'s mailbox'
        yield Problem(path, what, f'write "{prefix}" and the extension of a user')
