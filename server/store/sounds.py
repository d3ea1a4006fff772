"""Sounds that users and attendants have in place of the server's own: WAV files in the store's `sounds` folder.

Whose greeting one is says a personal setting of the user, which goes with the function and with the user (L-06); whose
prompt, a fact of the store. A file is on the disk before anything names it, and goes when nothing names it any more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import delete

from ...features.voicemail.settings import GREETINGS, OWN_GREETING
from ..site import declared
from .durable import move_durably
from .failure import explained
from .meta import all_meta, set_meta
from .schema import meta

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from sqlalchemy import Connection

    from ..site.holdings import Holdings
    from ..site.site import User
    from .unit import Unit

_PROMPT = "attendant_prompt:"
_APART = "\n"
"""Stands between an attendant and a sound of its own; no name has one."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A file of the folder and its length; `text` and `language` of one that was spoken from a text."""

    file: str
    duration_s: float
    text: str | None = None
    language: str | None = None


class Sounds:
    """The sounds of one store; `prompts` are those of its attendants by name."""

    def __init__(self, unit: Unit, folder: Path, prompts: dict[str, Sound]) -> None:
        self._unit = unit
        self._folder = folder
        self._prompts = prompts

    def path(self, sound: Sound) -> Path:
        """Where a sound lies: mono, 16 bit, 8 kHz."""
        return self._folder / sound.file

    def prompt(self, attendant: str, name: str = "") -> Sound | None:
        """A sound that was given to an attendant: the announcement of its menu, or one with a name."""
        return self._prompts.get(_key(attendant, name))

    async def keep(
        self, wav: Path, duration_s: float, text: str | None = None, language: str | None = None
    ) -> Sound:
        """Move the file at `wav` into the store; raises `StoreError` where it cannot be kept."""
        sound = Sound(f"{uuid4().hex}.wav", duration_s, text, language)
        with explained(self._folder):
            await self._unit.run(lambda _: move_durably(wav, self.path(sound)))
        return sound

    def remove(self, files: Iterable[str]) -> None:
        """Remove files that nothing names any more."""
        for file in files:
            (self._folder / file).unlink(missing_ok=True)

    def prompts(self, attendant: str) -> dict[str, Sound]:
        """All sounds of an attendant, by name."""
        return {
            key.partition(_APART)[2]: one for key, one in self._prompts.items() if _is_of(key, {attendant})
        }

    async def set_prompt(self, attendant: str, sound: Sound | None, name: str = "") -> None:
        """Give an attendant another sound, None the server's own."""
        key = _PROMPT + _key(attendant, name)

        def work(connection: Connection) -> None:
            if sound is None:
                connection.execute(delete(meta).where(meta.c.key == key))
            else:
                set_meta(connection, **{key: json.dumps(asdict(sound))})

        with explained(self._folder):
            await self._unit.run(work)
        before = self._prompts.pop(_key(attendant, name), None)
        if sound is not None:
            self._prompts[_key(attendant, name)] = sound
        if before is not None:
            self.remove([before.file])


def _key(attendant: str, name: str) -> str:
    return f"{attendant}{_APART}{name}" if name else attendant


def _is_of(key: str, attendants: Collection[str]) -> bool:
    return key.partition(_APART)[0] in attendants


def greeting(user: User) -> Sound | None:
    """The greeting that a user has given to his box."""
    own = declared.chosen(user, OWN_GREETING)
    return None if own is None else Sound(**own)


def named_greetings(user: User) -> dict[str, Sound]:
    """The further greetings of a user's box, by their names."""
    named = declared.chosen(user, GREETINGS) or {}
    return {name: Sound(**sound) for name, sound in named.items()}


def greetings(holdings: Holdings) -> set[str]:
    """The files of all users' greetings."""
    found: set[str] = set()
    for user in holdings.site.users:
        own = greeting(user)
        found |= {sound.file for sound in (*([own] if own else ()), *named_greetings(user).values())}
    return found


def swept(connection: Connection, folder: Path, holdings: Holdings) -> dict[str, Sound]:
    """Return the prompts of the attendants that there are; remove those of others, and files that nothing names."""
    facts = {
        key.removeprefix(_PROMPT): value
        for key, value in all_meta(connection).items()
        if key.startswith(_PROMPT)
    }
    names = {attendant.name for attendant in holdings.site.attendants}
    gone = [_PROMPT + key for key in facts if not _is_of(key, names)]
    connection.execute(delete(meta).where(meta.c.key.in_(gone)))
    prompts = {key: Sound(**json.loads(value)) for key, value in facts.items() if _is_of(key, names)}
    kept = greetings(holdings) | {sound.file for sound in prompts.values()}
    for path in folder.glob("*.wav"):
        if path.name not in kept:
            path.unlink(missing_ok=True)
    return prompts
