"""What an attendant finds in the house: sounds of its own and of the server, and the people who can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Clip, Prompt
from ...channels.media.prompts import is_prompt
from ...features.attendant.settings import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...channels.media.plane import Playable
    from ..site.administration import Administration
    from ..store.sounds import Sounds


class Reception:
    """Keeps `features.attendant.house.House` for one server."""

    def __init__(self, administration: Administration, sounds: Sounds) -> None:
        self._administration = administration
        self._sounds = sounds

    def sounds(self, attendant: str, names: Iterable[str]) -> tuple[Playable, ...]:
        """Find sounds by name; without names, the announcement of the attendant's menu."""
        return tuple(self._found(attendant, tuple(names) or ("",)))

    def is_extension(self, number: str) -> bool:
        """Whether `number` is a user's extension."""
        return self._administration.directory.by_extension(number) is not None

    def people(self) -> Iterator[Person]:
        """Return all users, those served first in front."""
        for user in self._administration.directory.users:
            yield Person(user.extension, tuple(user.display_name.split()))

    def _found(self, attendant: str, names: tuple[str, ...]) -> Iterator[Playable]:
        for name in names:
            sound = self._sounds.prompt(attendant, name)
            if sound is not None:
                yield Clip(self._sounds.path(sound))
            elif is_prompt(name):
                yield Prompt(name)
