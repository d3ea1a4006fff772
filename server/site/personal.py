"""Personal settings by function: what a user loses when a function is taken away from him (L-06).

Each setting names its function, so that taking one away needs no feature's code. Two kinds stand in the site
file too: the voicemail PIN, and forwardings, which belong to `voicemail` where they lead to the own box and to
the telephone otherwise. Stored messages are no settings; they stay and become inaccessible (A-04).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...features.telephone.settings import CALLERS, PERSONAL, TELEPHONE, Forward, ForwardTargets
from ...features.voicemail.settings import VOICEMAIL
from .site import Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .site import User, VoicemailSettings

_PIN = "voicemail_pin"
_FORWARD = "forward"
_AFTER_S = "forward.after_s"
_IN_FILE = {_PIN, *(one.key for one in PERSONAL if one.in_file)}
_TARGETS = _IN_FILE - {_PIN, _AFTER_S}


@dataclass(frozen=True, slots=True)
class Deletion:
    """The settings of one function that a user loses, by their keys."""

    user: str
    function: str
    settings: tuple[str, ...]


def settings_of(user: User, voicemail: VoicemailSettings) -> tuple[Setting, ...]:
    """All personal settings of `user`, those of the site file first."""
    found = [] if user.voicemail_pin is None else [Setting(VOICEMAIL, _PIN, user.voicemail_pin)]
    if user.forward is not None:
        box = voicemail.box_number(user.extension)
        for keys, target in user.forward.targets():
            function = VOICEMAIL if target == box else TELEPHONE
            found.append(Setting(function, ".".join((_FORWARD, *keys)), target))
        found.append(Setting(TELEPHONE, _AFTER_S, user.forward.after_s))
    return (*found, *user.settings)


def with_settings(user: User, settings: Iterable[Setting]) -> User:
    """`user` with these settings and no other."""
    settings = tuple(settings)
    values: dict[str, Any] = {one.key: one.value for one in settings if one.key in _IN_FILE}
    pin = values.pop(_PIN, None)
    forward: dict[str, Any] = {}
    for key, value in values.items():
        *callers, kind = key.split(".")[1:]
        (forward.setdefault(callers[0], {}) if callers else forward)[kind] = value
    forward |= {one: ForwardTargets(**forward[one]) for one in CALLERS if one in forward}
    rest = tuple(one for one in settings if one.key not in _IN_FILE)
    return replace(user, voicemail_pin=pin, forward=Forward(**forward) if forward else None, settings=rest)


def changed(user: User, setting: Setting, voicemail: VoicemailSettings) -> User:
    """`user` with another value of a setting; without the setting where that is None."""
    in_file = setting.key in _IN_FILE
    kept = [
        one
        for one in settings_of(user, voicemail)
        if one.key != setting.key or not (in_file or one.function == setting.function)
    ]
    wanted = [] if setting.value is None else [setting]
    return with_settings(user, sorted([*kept, *wanted], key=lambda one: (one.function, one.key)))


def value_of(user: User, function: str, key: str, voicemail: VoicemailSettings) -> object:
    """The value of a setting, None where `user` has none."""
    for one in settings_of(user, voicemail):
        if one.key == key and (key in _IN_FILE or one.function == function):
            return one.value
    return None


def strip(user: User, off: frozenset[str], voicemail: VoicemailSettings) -> tuple[User, tuple[Deletion, ...]]:
    """`user` without the settings of the functions that are `off`, and what that deletes, by function."""
    settings = settings_of(user, voicemail)
    lost: dict[str, list[str]] = {}
    for one in settings:
        if one.function in off:
            lost.setdefault(one.function, []).append(one.key)
    if not lost:
        return user, ()
    kept = [one for one in settings if one.function not in off]
    if not any(one.key in _TARGETS for one in kept):
        kept = [one for one in kept if one.key != _AFTER_S]
    deletions = tuple(Deletion(user.name, function, tuple(keys)) for function, keys in lost.items())
    return with_settings(user, kept), deletions
