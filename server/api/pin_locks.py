"""Locked boxes over HTTP: which take no PIN after too many wrong ones, and how one is opened (decision 46)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError
from .rights import ALL_ADMINISTRATORS, sees_name, user_named

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class LockEntry:
    """A user whose box takes no PIN `until` then."""

    user: str
    until: datetime


@routes.get(f"{API}/pin-locks", may=ALL_ADMINISTRATORS)
async def list_pin_locks(pbx: "Pbx", who: Token) -> tuple[LockEntry, ...]:
    """List the voicemail boxes that are locked, the one that opens first before the others."""
    directory, now = pbx.administration.directory, pbx.clock.now()
    locks = sorted(pbx.owners.locks().items(), key=lambda one: one[1])
    return tuple(
        LockEntry(user, pbx.clock.at(now + seconds))
        for user, seconds in locks
        if sees_name(who, directory, user)
    )


@routes.delete(f"{API}/pin-locks/{{name}}", may=ALL_ADMINISTRATORS)
async def lift_pin_lock(pbx: "Pbx", who: Token, name: str) -> None:
    """Unlock a user's box before its time; the wrong PINs so far are forgotten."""
    user_named(who, pbx.administration.directory, name)
    if not pbx.owners.unlock(name, by=who.name):
        raise ProblemError.not_found(f'The voicemail box of "{name}" is not locked.')
