"""The greetings of a box that have names, which its rules choose from: in one setting, changed one after the other."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from ...features.voicemail.settings import GREETINGS, OWN_GREETING, VOICEMAIL
from ..site import require
from ..site.acts import SetSetting
from ..site.require import AdministrationError
from ..store.sounds import named_greetings

if TYPE_CHECKING:
    from ..site.administration import Administration
    from ..store.sounds import Sound

MOST = 10
"""So many greetings with a name a box has at most."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class Greetings:
    """Those of all users."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._turn = asyncio.Lock()

    def of(self, user: str) -> dict[str, Sound]:
        """The greetings of a user's box by their names."""
        return named_greetings(require.user(self._administration.directory, user))

    async def set(
        self, user: str, name: str, sound: Sound | None, *, actor: str, within: frozenset[str] | None
    ) -> None:
        """Give a box another greeting of that name, or with None take it away; raises `AdministrationError`.

        Without a name it is the box's own. `within` are the locations that `actor` must not leave, None for all.
        """
        async with self._turn:
            if not name:
                own = SetSetting(user, VOICEMAIL, OWN_GREETING.key, None if sound is None else asdict(sound))
                await self._administration.apply(own, actor=actor, within=within)
                return
            greetings = {**self.of(user), name: sound}
            if sound is not None and not _NAME.fullmatch(name):
                what = f'"{name}" is no name of a greeting'
                remedy = "use up to 32 small letters, digits, - and _, a letter or digit first"
                raise AdministrationError("request.invalid", f"{what}; {remedy}")
            if len(greetings) > MOST:
                what = f'the box of "{user}" has {MOST} greetings already'
                raise AdministrationError("request.invalid", f"{what}; take one away first")
            value = {key: asdict(one) for key, one in sorted(greetings.items()) if one is not None}
            act = SetSetting(user, VOICEMAIL, GREETINGS.key, value or None)
            await self._administration.apply(act, actor=actor, within=within)
