"""What an attendant needs to know of the house it is in; `server.switch.reception` keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...channels.media.plane import Playable
    from .settings import Person


class House(Protocol):
    """Its sounds, and its people."""

    def sounds(self, attendant: str, names: Iterable[str]) -> tuple[Playable, ...]:
        """Return what an attendant says by these names: its own sounds, else the server's; without what is neither.

        Without names, the announcement that the attendant was given, if any.
        """
        ...

    def is_extension(self, number: str) -> bool:
        """Whether `number` is a user's extension."""
        ...

    def people(self) -> Iterable[Person]:
        """Return everybody who can be asked for by name."""
        ...
