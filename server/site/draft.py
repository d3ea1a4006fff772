"""A change being made: acts work on a draft of what is held, one after the other, and leave events.

`Administration` opens a draft for each change, lets the acts work, settles it, and takes what has come out.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, assert_never

from ...features.declaration import SettingError
from ...features.telephone.settings import TELEPHONE
from ...features.voicemail.pin import random_pin
from ...features.voicemail.settings import SHARED_WITH, VOICEMAIL
from ...licensing.catalogue import FUNCTIONS
from ...licensing.keys import trusted_keys
from ...licensing.lines import Lines
from ...licensing.package import PackageError, read, verify
from ...licensing.refusal import Refusal
from . import acts, declared, events, require
from .checks import problems
from .holdings import BoundLine, Holdings, StoredPackage, peopled
from .personal import changed, strip
from .require import AdministrationError
from .site import Group, Location, Setting, User
from .standing import bought

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from ...features.declaration import Declaration
    from .acts import Act
    from .attendants import Attendant
    from .events import SiteEvent
    from .personal import Deletion

CHANGEABLE = frozenset(one.name for one in fields(acts.CreateUser)) - {"name", "location", "group"}
"""The fields of a user that `ChangeUser` may give other values."""


class Draft:
    """What will be held if the change is made, and `events`, what it will have brought about."""

    def __init__(self, before: Holdings, now: float) -> None:
        self.events: list[SiteEvent] = []
        self._before = before
        self._now = now
        self._users = {user.name: user for user in before.site.users}
        self._locations = {location.name: location for location in before.site.locations}
        self._attendants = {one.name: one for one in before.site.attendants}
        self._packages = before.packages
        self._lines = before.lines
        self._highest_seq = before.highest_seq
        self._to_check = False

    @property
    def users(self) -> Iterable[User]:
        """All users as drafted."""
        return self._users.values()

    @property
    def locations(self) -> Iterable[Location]:
        """All locations as drafted."""
        return self._locations.values()

    def by_name(self, name: str) -> User | None:
        """The user of that name as drafted."""
        return self._users.get(name)

    def make(self, act: Act) -> None:  # noqa: C901, PLR0912 - one case for each act, and nothing else
        """Let one act work. Raises `AdministrationError`, and `PackageError`."""
        match act:
            case acts.CreateUser():
                self._create_user(act)
            case acts.ChangeUser():
                self._change_user(act)
            case acts.MoveUser():
                self._move_user(act)
            case acts.DeleteUser():
                self._delete_user(require.user(self, act.name))
            case acts.SetSetting():
                self._set(act)
            case acts.CreateLocation():
                self._add_location(Location(act.name, self._known(act.functions) or frozenset()), None)
            case acts.DuplicateLocation():
                self._add_location(
                    replace(require.location(self, act.of), name=act.name, contingent={}), act.of
                )
            case acts.DeleteLocation():
                require.location(self, act.name)
                self._require_empty(f'the location "{act.name}"', act.name, None)
                del self._locations[act.name]
                self.events.append(events.LocationDeleted(act.name))
            case acts.CreateGroup():
                self._create_group(act)
            case acts.DeleteGroup():
                self._delete_group(act)
            case acts.SwitchFunctions():
                self._switch(act)
            case acts.SetAttendant():
                self._set_attendant(act.attendant)
            case acts.DeleteAttendant():
                require.attendant(self._attendants, act.name)
                del self._attendants[act.name]
                self.events.append(events.AttendantDeleted(act.name))
            case acts.ImportPackage():
                self._import(act)
            case acts.BindLine():
                self._bind(act.line)
            case acts.ReleaseLine():
                self._release(act.line)
            case _:
                assert_never(act)

    def settle(self, random: Random, *, everybody: bool = False) -> None:
        """Look after the users whom the change touches, or everybody: settings go (L-06), PINs are made."""
        old = {user.name: user for user in self._before.site.users}
        was = {} if everybody else _functions(self._before.site.locations)
        on = _functions(self._locations.values())
        voicemail = self._before.site.voicemail
        for name, user in self._users.items():
            before, place = old.get(name), (user.location, user.group)
            if not everybody and user is before and was.get(place) == on[place]:
                continue
            settled, deletions = strip(user, frozenset(FUNCTIONS) - on[place], voicemail)
            self._tell(deletions)
            if VOICEMAIL in on[place] and settled.voicemail_pin is None:
                settled = replace(settled, voicemail_pin=random_pin(random))
                self.events.append(events.PinMade(name))
            self._users[name] = settled

    def holdings(self) -> Holdings:
        """What is held then; the same value as before where nothing is another. Raises `AdministrationError`."""
        before, users, places = self._before, tuple(self._users.values()), tuple(self._locations.values())
        same = len(users) == len(before.site.users) and all(map(_is, users, before.site.users))
        attendants = tuple(self._attendants.values())
        if same and (places, attendants) == (before.site.locations, before.site.attendants):
            site = before.site
        else:
            site = replace(peopled(before.file, users, places), attendants=attendants)
        after = replace(
            before, site=site, packages=self._packages, lines=self._lines, highest_seq=self._highest_seq
        )
        found = list(problems(site)) if self._to_check else []
        known = {problem.what for problem in problems(before.site)} if found else set()
        for problem in found:
            if problem.what not in known:
                raise AdministrationError("request.invalid", f"{problem.what}; {problem.remedy}")
        rest = ("packages", "lines", "highest_seq")
        same = site is before.site and all(getattr(after, key) == getattr(before, key) for key in rest)
        return before if same else after

    def _create_user(self, act: acts.CreateUser) -> None:
        if act.name in self._users:
            raise AdministrationError(
                "request.invalid", f'the user "{act.name}" is there already; use another name'
            )
        require.place(self, act.location, act.group, "request.invalid")
        self._highest_seq += 1
        values = {one.name: getattr(act, one.name) for one in fields(act)}
        values["display_name"] = act.display_name or act.name
        self._users[act.name] = User(seq=self._highest_seq, **values)
        self._to_check = True
        self.events.append(events.UserCreated(act.name, self._highest_seq, act.location, act.group))

    def _change_user(self, act: acts.ChangeUser) -> None:
        user = require.user(self, act.name)
        for key in sorted(act.fields.keys() - CHANGEABLE):
            known = ", ".join(sorted(CHANGEABLE))
            raise AdministrationError(
                "request.invalid", f'the field "{key}" cannot be changed; use some of {known}'
            )
        others = tuple(key for key, value in act.fields.items() if getattr(user, key) != value)
        if others:
            self._users[act.name] = replace(user, **{key: act.fields[key] for key in others})
            self._to_check = True
            self.events.append(events.UserChanged(act.name, others))

    def _move_user(self, act: acts.MoveUser) -> None:
        user = require.user(self, act.name)
        require.place(self, act.location, act.group, "request.invalid")
        if (user.location, user.group) != (act.location, act.group):
            self._users[act.name] = replace(user, location=act.location, group=act.group)
            moved = events.UserMoved(act.name, user.location, user.group, act.location, act.group)
            self.events.append(moved)

    def _delete_user(self, user: User) -> None:
        del self._users[user.name]
        self.events.append(events.UserDeleted(user.name, user.seq))
        for other in tuple(self._users.values()):  # a later user of that name has no part in what was his
            members = declared.chosen(other, SHARED_WITH) or ()
            if user.name in members:
                left = [name for name in members if name != user.name] or None
                setting = Setting(VOICEMAIL, SHARED_WITH.key, left)
                self._users[other.name] = changed(other, setting, self._before.site.voicemail)
                self.events.append(events.SettingChanged(other.name, VOICEMAIL, SHARED_WITH.key, not left))
        everything = frozenset({TELEPHONE, *FUNCTIONS})
        self._tell(strip(user, everything, self._before.site.voicemail)[1])

    def _tell(self, deletions: Iterable[Deletion]) -> None:
        self.events += [events.SettingsDeleted(one.user, one.function, one.settings) for one in deletions]

    def _set(self, act: acts.SetSetting) -> None:
        user = require.user(self, act.user)
        try:
            wanted = self._settable(user, act.function, act.key)
            if act.value is not None:
                wanted.parse(act.value)
        except SettingError as error:
            raise AdministrationError("request.invalid", str(error)) from None
        after = changed(user, Setting(act.function, act.key, act.value), self._before.site.voicemail)
        if after != user:
            self._users[act.user] = after
            self._to_check |= wanted.in_file or wanted.refers or wanted.numbers is not None
            self.events.append(events.SettingChanged(act.user, act.function, act.key, act.value is None))

    def _settable(self, user: User, function: str, key: str) -> Declaration[Any]:
        """A setting that `user` can have; raises `SettingError`."""
        declared.require_function(function)
        if function != TELEPHONE and function not in _functions(self.locations)[user.location, user.group]:
            what = f'the function "{function}" is not on for "{user.name}"'
            raise SettingError(what, "switch it on for his location or group first")
        return declared.declaration(function, key)

    def _add_location(self, location: Location, of: str | None) -> None:
        if location.name in self._locations:
            what = f'the location "{location.name}" is there already'
            raise AdministrationError("request.invalid", f"{what}; use another name")
        self._locations[location.name] = location
        self._to_check = True
        self.events.append(events.LocationCreated(location.name, of, location.functions))

    def _create_group(self, act: acts.CreateGroup) -> None:
        location = require.location(self, act.location)
        own = self._known(act.functions)
        if any(group.name == act.name for group in location.groups):
            what = f'the group "{act.name}" is in "{act.location}" already'
            raise AdministrationError("request.invalid", f"{what}; use another name")
        self._locations[act.location] = replace(location, groups=(*location.groups, Group(act.name, own)))
        self._to_check = True
        self.events.append(events.GroupCreated(act.location, act.name, own))

    def _delete_group(self, act: acts.DeleteGroup) -> None:
        location = require.place(self, act.location, act.name)
        self._require_empty(f'the group "{act.name}" of "{act.location}"', act.location, act.name)
        groups = tuple(group for group in location.groups if group.name != act.name)
        self._locations[act.location] = replace(location, groups=groups)
        self.events.append(events.GroupDeleted(act.location, act.name))

    def _require_empty(self, what: str, location: str, group: str | None) -> None:
        there = [user for user in self.users if user.location == location and group in {None, user.group}]
        if there:
            sentence = f'{what} still has {len(there)} users, as "{there[0].name}"; move or delete them first'
            raise AdministrationError("request.invalid", sentence)

    def _set_attendant(self, attendant: Attendant) -> None:
        before = self._attendants.get(attendant.name)
        if attendant != before:
            self._attendants[attendant.name] = attendant
            self._to_check = True
            self.events.append(events.AttendantChanged(attendant.name, attendant.extension, before is None))

    def _switch(self, act: acts.SwitchFunctions) -> None:
        before = require.place(self, act.location, act.group)
        wanted = self._known(act.functions)
        if act.group is not None:
            groups = tuple(
                replace(group, functions=wanted) if group.name == act.group else group
                for group in before.groups
            )
            after = replace(before, groups=groups)
        elif wanted is not None:
            after = replace(before, functions=wanted)
        else:
            what = f'the location "{act.location}" has nobody to inherit from'
            raise AdministrationError("request.invalid", f"{what}; give its functions, even none")
        if after != before:
            self._locations[act.location] = after
            self.events.append(events.FunctionsSwitched(act.location, act.group, wanted))

    def _known(self, functions: frozenset[str] | None) -> frozenset[str] | None:
        tapi = self._before.site.licensing.tapi == "configured"
        return None if functions is None else require.functions(functions, tapi=tapi)

    def _import(self, act: acts.ImportPackage) -> None:
        if any(one.package.data == act.data for one in self._packages):
            return
        trusted = trusted_keys(self._before.site.licensing.trusted_keys)
        try:
            package = read(act.data)
            verify(package, trusted, datetime.fromtimestamp(self._now, UTC))
        except PackageError as error:
            raise error.about(act.source) from None
        if any(one.package.id == package.id for one in self._packages):
            file = f"{act.source}: " if act.source else ""
            what = f'{file}another package with the id "{package.id}" was imported before'
            raise AdministrationError(
                "request.invalid", f"{what}; ask the issuer for one with an id of its own"
            )
        self._packages = (*self._packages, StoredPackage(package, self._now))
        self.events.append(events.PackageImported(package.id, package.licences))

    def _bind(self, line: str) -> None:
        entitlement = bought(replace(self._before, packages=self._packages), self._now)
        answer = Lines(tuple(one.line for one in self._lines)).bind(line, entitlement)
        if isinstance(answer, Refusal):
            raise require.LineRefusedError(line, answer)
        if answer.new:
            self._lines = (*self._lines, BoundLine(line, self._now))
            self.events.append(events.LineBound(line))

    def _release(self, line: str) -> None:
        kept = tuple(one for one in self._lines if one.line != line)
        if kept == self._lines:
            what = f'the line "{line}" holds no TAPI licence'
            raise AdministrationError("not_found", f"{what}; name one that was bound")
        self._lines = kept
        self.events.append(events.LineReleased(line))


def _functions(locations: Iterable[Location]) -> dict[tuple[str, str | None], frozenset[str]]:
    """What is on at each place."""
    found: dict[tuple[str, str | None], frozenset[str]] = {}
    for location in locations:
        found[location.name, None] = location.functions
        for group in location.groups:
            own = group.functions
            found[location.name, group.name] = location.functions if own is None else own
    return found


def _is(one: object, other: object) -> bool:
    return one is other
