"""Bans over HTTP: who guessed at passwords and is not listened to, and how one is let in again (decision 17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class BanEntry:
    """A source, an address or a /64, that may not try an account `until` then, after so many `failures`.

    `user` is the account as the source wrote it, or `*` for any but those that it named before.
    """

    source: str
    user: str
    until: datetime
    failures: int


@routes.get(f"{API}/bans")
async def list_bans(pbx: "Pbx") -> tuple[BanEntry, ...]:
    """List the bans that stand, the one that ends first before the others."""
    bans = sorted(pbx.identity.bans(pbx.clock.now()), key=lambda one: one.until)
    return tuple(BanEntry(one.source, one.account, pbx.clock.at(one.until), one.failures) for one in bans)


@routes.delete(f"{API}/bans/{{source}}/{{user}}")
async def lift_ban(pbx: "Pbx", who: Token, source: str, user: str) -> None:
    """End a ban before its time; what was guessed before is forgotten."""
    if not pbx.identity.lift(source, user, pbx.clock.now(), by=who.name):
        raise ProblemError.not_found(f'There is no ban of "{source}" for "{user}".')
