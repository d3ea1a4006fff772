"""All personal settings that the features declare, joined: what a site file, a request or a change may set.

A room of `features` with settings of its own stands in `_ROOMS`; that is all that a new setting takes here.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ...features.declaration import Declaration, SettingError
from ...features.one_number import settings as one_number
from ...features.softphone import settings as softphone
from ...features.telephone import settings as telephone
from ...features.telephone.settings import TELEPHONE
from ...features.voicemail import notification
from ...features.voicemail import settings as voicemail
from ...licensing.catalogue import FUNCTIONS
from .problem import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Setting, Site, User

T = TypeVar("T")

_ROOMS: tuple[tuple[Declaration[Any], ...], ...] = (
    telephone.PERSONAL,
    voicemail.PERSONAL,
    softphone.PERSONAL,
    one_number.PERSONAL,
    notification.PERSONAL,
)
DECLARATIONS = {(one.function, one.key): one for one in chain.from_iterable(_ROOMS)}
"""Each by its function and key."""


def require_function(function: str) -> None:
    """Raise `SettingError` unless settings can belong to it."""
    if function != TELEPHONE and function not in FUNCTIONS:
        remedy = closest(function, (TELEPHONE, *FUNCTIONS), f"use one of {TELEPHONE}, {', '.join(FUNCTIONS)}")
        raise SettingError(f'the function "{function}" is not known', remedy)


def declaration(function: str, key: str) -> Declaration[Any]:
    """The declared setting; raises `SettingError` where there is none."""
    require_function(function)
    found = DECLARATIONS.get((function, key))
    if found is None:
        keys = [one.key for one in DECLARATIONS.values() if one.function == function]
        known = f"known are {', '.join(keys)}" if keys else "there is none"
        raise SettingError(f'the setting "{key}" of {function} is not known', closest(key, keys, known))
    return found


def chosen(user: User, wanted: Declaration[T]) -> T | None:
    """The value that `user` has for a setting which is not `in_file`; None where he has none."""
    for one in user.settings:
        if one.key == wanted.key and one.function == wanted.function:
            return wanted.parse(one.value)
    return None


def numbers_of(setting: Setting) -> tuple[str, ...]:
    """The numbers to which a setting leads; none where it is not right."""
    found = DECLARATIONS.get((setting.function, setting.key))
    if found is None or found.numbers is None:
        return ()
    try:
        return tuple(found.numbers(found.parse(setting.value)))
    except SettingError:
        return ()


def problems(site: Site) -> Iterator[Problem]:
    """Settings that nobody declared, and values that do not fit."""
    for index, user in enumerate(site.users):
        for one in user.settings:
            try:
                declaration(one.function, one.key).parse(one.value)
            except SettingError as error:
                path = ("user", index, "settings", one.function, one.key)
                yield Problem(path, f'{error.what}, for "{user.name}"', error.remedy)


def file_problems(site: Site) -> Iterator[Problem]:
    """Settings that stand elsewhere in a site file, or in none."""
    for index, user in enumerate(site.users):
        for one in user.settings:
            found = DECLARATIONS.get((one.function, one.key))
            path = ("user", index, "settings", one.function, one.key)
            if found is not None and found.in_file:
                what = f'the setting "{one.key}" is a key of [[user]] itself'
                yield Problem(path, what, f"write {one.key} = … there")
            elif found is not None and found.set_by:
                what = f'the setting "{one.key}" of {one.function} can stand in no file'
                yield Problem(path, what, f"set it by {found.set_by}")
