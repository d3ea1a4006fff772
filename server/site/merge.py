"""A changed site file laid over what a store holds (`--apply-site`).

Users are matched by name: new ones get the next sequence numbers in file order, users missing from the file
stay, and what the file names wins. The store writes the result; what L-06 deletes is in it, to be told first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .checks import problems
from .directory import Directory
from .events import SettingsDeleted, SiteMerged, UserCreated
from .holdings import peopled
from .personal import strip
from .site import SiteError

if TYPE_CHECKING:
    from .attendants import Attendant
    from .events import SiteEvent
    from .holdings import Holdings
    from .personal import Deletion
    from .site import Location, Setting, Site, User


@dataclass(frozen=True, slots=True)
class Merge:
    """What is held then, and by user name what is new, changed, and kept though the file does not name it."""

    holdings: Holdings
    added: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    deletions: tuple[Deletion, ...]

    @property
    def events(self) -> tuple[SiteEvent, ...]:
        """The merge as the audit log tells it, without what it means to licences."""
        site, added = self.holdings.site, set(self.added)
        return (
            SiteMerged(site.source, site.digest, self.added, self.changed, self.kept),
            *(
                UserCreated(one.name, one.seq, one.location, one.group)
                for one in site.users
                if one.name in added
            ),
            *(SettingsDeleted(one.user, one.function, one.settings) for one in self.deletions),
        )


def merge(held: Holdings, file: Site) -> Merge:
    """Lay `file` over what is `held`; packages, bound lines and sequence numbers stay.

    Raises `SiteError` where the file and what stays do not go together, as when a new user has the number of
    one who stays.
    """
    stored = held.site
    known = {user.name: user for user in stored.users}
    named = {user.name for user in file.users}
    users = [user for user in stored.users if user.name not in named]
    added: list[str] = []
    for user in file.users:
        before = known.get(user.name)
        if before is None:
            added.append(user.name)
            users.append(replace(user, seq=held.highest_seq + len(added)))
        else:
            pin = user.voicemail_pin or before.voicemail_pin
            users.append(replace(user, seq=before.seq, voicemail_pin=pin, settings=_laid_over(before, user)))
    users.sort(key=lambda user: user.seq)
    site = replace(peopled(file, tuple(users), _locations(stored, file)), attendants=_attendants(held, file))
    _check(site, stored)
    site, deletions = _without_lost_settings(stored, site)
    return Merge(
        replace(held, file=file, site=site, highest_seq=held.highest_seq + len(added)),
        tuple(added),
        tuple(user.name for user in site.users if known.get(user.name, user) != user),
        tuple(name for name in known if name not in named),
        deletions,
    )


def _laid_over(before: User, user: User) -> tuple[Setting, ...]:
    """The settings that a user has, with those that the file names in the place of the same."""
    settings = {(one.function, one.key): one for one in (*before.settings, *user.settings)}
    return tuple(settings[key] for key in sorted(settings))


def _check(site: Site, stored: Site) -> None:
    """Complain of what the merge brings, not of a target that an administrator's deletion left dangling."""
    accepted = {problem.what for problem in problems(stored)}
    for problem in problems(site):
        if problem.what not in accepted:
            what = f"{problem.what} (users whom the file does not name stay)"
            raise SiteError(site.source, None, what, problem.remedy)


def _locations(stored: Site, file: Site) -> tuple[Location, ...]:
    old = {location.name: location for location in stored.locations}
    merged = []
    for location in file.locations:
        before = old.pop(location.name, None)
        named = {group.name for group in location.groups}
        stay = tuple(group for group in before.groups if group.name not in named) if before else ()
        merged.append(replace(location, groups=location.groups + stay))
    return (*merged, *old.values())


def _attendants(held: Holdings, file: Site) -> tuple[Attendant, ...]:
    """Those of the file, and those that no file has had."""
    known = {one.name for one in (*file.attendants, *held.file.attendants)}
    return (*file.attendants, *(one for one in held.site.attendants if one.name not in known))


def _without_lost_settings(stored: Site, site: Site) -> tuple[Site, tuple[Deletion, ...]]:
    """Take away the settings of functions that were on for a user before and are off now (L-06)."""
    before = Directory(stored)
    after = Directory(site)
    deletions: list[Deletion] = []

    def stripped(user: User) -> User:
        old = before.by_name(user.name)
        if old is None:
            return user
        off = before.functions_of(old) - after.functions_of(user)
        user, lost = strip(user, off, site.voicemail)
        deletions.extend(lost)
        return user

    return replace(site, users=tuple(map(stripped, site.users))), tuple(deletions)
