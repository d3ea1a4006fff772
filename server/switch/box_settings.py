"""From a user's personal settings to those of his box, read once until they are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Clip
from ...features.voicemail.settings import GREETING, LANGUAGE, RULES, SHARED_WITH, BoxSettings
from ..site.declared import chosen
from ..store.sounds import greeting, named_greetings

if TYPE_CHECKING:
    from ..site.site import User, VoicemailSettings
    from ..store.sounds import Sounds


class BoxReader:
    """Reads boxes for one server."""

    def __init__(self, sounds: Sounds) -> None:
        self._sounds = sounds
        self._read: dict[str, tuple[User, BoxSettings]] = {}

    def box_of(self, user: User, site: VoicemailSettings) -> BoxSettings | None:
        """Return the settings of the box of `user`; None when he has no PIN."""
        if user.voicemail_pin is None:
            return None
        known = self._read.get(user.name)
        if known is None or known[0] is not user:
            known = self._read[user.name] = (user, self._box(user, user.voicemail_pin, site))
        return known[1]

    def _box(self, user: User, pin: str, site: VoicemailSettings) -> BoxSettings:
        own, members = greeting(user), chosen(user, SHARED_WITH)
        return BoxSettings(
            user.name,
            pin,
            GREETING if own is None else Clip(self._sounds.path(own)),
            most_message_s=site.longest_message_s,
            greetings={name: Clip(self._sounds.path(one)) for name, one in named_greetings(user).items()},
            rules=chosen(user, RULES) or (),
            language=chosen(user, LANGUAGE) or "",
            hairpin=site.transfer == "hairpin",
            shared_with=frozenset(members or ()),
        )
