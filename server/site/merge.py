"""A changed site file laid over what a store holds (`--apply-site`).

Users are matched by name: new ones get the next sequence numbers in file order, users missing from the file
stay, and what the file names wins. The store writes the result; what L-06 deletes is in it, to be told first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .checks import problems
from .directory import Directory
from .personal import strip
from .site import SiteError

if TYPE_CHECKING:
    from .personal import Deletion
    from .site import Location, Site, User


@dataclass(frozen=True, slots=True)
class Merge:
    """The merged site, and by user name what is new, changed, and kept though the file does not name it."""

    site: Site
    added: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    deletions: tuple[Deletion, ...]


def merge(stored: Site, file: Site, highest_seq: int) -> Merge:
    """Lay `file` over `stored`; `highest_seq` is the last sequence number ever given.

    Raises `SiteError` where the file and what stays do not go together, as when a new user has the number of
    one who stays.
    """
    known = {user.name: user for user in stored.users}
    named = {user.name for user in file.users}
    users = [user for user in stored.users if user.name not in named]
    added: list[str] = []
    for user in file.users:
        before = known.get(user.name)
        if before is None:
            added.append(user.name)
            users.append(replace(user, seq=highest_seq + len(added)))
        else:
            users.append(
                replace(user, seq=before.seq, voicemail_pin=user.voicemail_pin or before.voicemail_pin)
            )
    site = replace(file, users=tuple(users), locations=_locations(stored, file))
    for problem in problems(site):
        what = f"{problem.what} (users whom the file does not name stay)"
        raise SiteError(file.source, None, what, problem.remedy)
    site, deletions = _without_lost_settings(stored, site)
    changed = tuple(user.name for user in site.users if known.get(user.name, user) != user)
    return Merge(site, tuple(added), changed, tuple(name for name in known if name not in named), deletions)


def _locations(stored: Site, file: Site) -> tuple[Location, ...]:
    old = {location.name: location for location in stored.locations}
    merged = []
    for location in file.locations:
        before = old.pop(location.name, None)
        named = {group.name for group in location.groups}
        stay = tuple(group for group in before.groups if group.name not in named) if before else ()
        merged.append(replace(location, groups=location.groups + stay))
    return (*merged, *old.values())


def _without_lost_settings(stored: Site, site: Site) -> tuple[Site, tuple[Deletion, ...]]:
    """Take away the settings of functions that were on for a user before and are off now (L-06)."""
    before = Directory(stored)
    after = Directory(site)
    deletions: list[Deletion] = []

    def stripped(user: User) -> User:
        old = before.by_name(user.name)
        if old is None:
            return user
        user, deletion = strip(user, before.functions_of(old) - after.functions_of(user), site.voicemail)
        if deletion is not None:
            deletions.append(deletion)
        return user

    users = tuple(sorted(map(stripped, site.users), key=lambda user: user.seq))
    return replace(site, users=users), tuple(deletions)
