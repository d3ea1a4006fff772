"""Call-back on busy: who is called back, for how long it is waited, and that the later wish replaces the one before.

No licence is asked and no channel taken: it is the telephone system's own (L-73).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REMEMBERED_S: Final = 60.0
"""For so long after a busy call it may be asked for."""
WANTED_S: Final = 2700.0
"""So long is waited for both to be free."""
QUIET_S: Final = 3.0
"""So long after somebody has hung up it is looked who is free: he may want to dial."""
RING_S: Final = 30.0
"""So long whoever asked is rung first."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`account` of `user` wants `called` (a user, reached by `number`) once both are free, until `until_s`."""

    user: str
    account: str
    called: str
    number: str
    until_s: float


class Wishes:
    """The wishes of one server, one for each user, oldest first; and who was busy for whom last."""

    def __init__(self) -> None:
        self._busy: dict[str, tuple[str, str, float]] = {}
        self._wanted: dict[str, Wish] = {}

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def __iter__(self) -> Iterator[Wish]:
        return iter(tuple(self._wanted.values()))

    def note_busy(self, user: str, called: str, number: str, now_s: float) -> None:
        """Remember that `called` was busy for `user` who dialled `number`."""
        self._busy[user] = (called, number, now_s)

    def want(self, user: str, account: str, now_s: float) -> Wish | None:
        """Make a wish of the last busy call; None where that is too long ago."""
        called, number, at_s = self._busy.pop(user, ("", "", -REMEMBERED_S))
        if now_s - at_s >= REMEMBERED_S:
            return None
        wish = Wish(user, account, called, number, now_s + WANTED_S)
        self._wanted.pop(user, None)
        self._wanted[user] = wish
        return wish

    def of(self, user: str) -> Wish | None:
        """Return what a user waits for."""
        return self._wanted.get(user)

    def drop(self, user: str) -> Wish | None:
        """Take a user's wish away."""
        return self._wanted.pop(user, None)

    def due(self, is_free: Callable[[str], bool], busy_with: frozenset[str]) -> Wish | None:
        """Return the oldest wish whose two users are free, unless somebody else is rung for the same one already."""
        for wish in self:
            if wish.called not in busy_with and is_free(wish.user) and is_free(wish.called):
                return wish
        return None
