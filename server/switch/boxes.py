"""The voicemail boxes as the features want them: settings from the site, messages from the store, an event for each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...channels.media.plane import Clip
from ...features.voicemail.settings import GREETING, BoxSettings
from ..store.sounds import greeting
from .events import MessageDeleted, MessageExpired, MessageLeft, MessageRead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..clock import Clock
    from ..site.administration import Administration
    from ..site.site import VoicemailSettings
    from ..store.mailbox import Mailbox, Message
    from ..store.sounds import Sounds
    from .stream import EventStream


class Boxes:
    """Keeps `features.voicemail.boxes.Boxes` for one server."""

    def __init__(
        self,
        administration: Administration,
        mailbox: Mailbox,
        sounds: Sounds,
        clock: Clock,
        stream: EventStream,
    ) -> None:
        self._administration = administration
        self._mailbox = mailbox
        self._sounds = sounds
        self._clock = clock
        self._stream = stream

    def box_of(self, user: str) -> BoxSettings | None:
        """Return the settings of a user's box."""
        found = self._administration.directory.by_name(user)
        if found is None or found.voicemail_pin is None:
            return None
        own = greeting(found)
        return BoxSettings(
            user,
            found.voicemail_pin,
            GREETING if own is None else Clip(self._sounds.path(own)),
            most_message_s=self._settings.longest_message_s,
        )

    def box_numbered(self, number: str) -> BoxSettings | None:
        """Return the box of an extension."""
        found = self._administration.directory.by_extension(number)
        return None if found is None else self.box_of(found.name)

    def is_full(self, user: str) -> bool:
        """Whether there is no room in a box for another message."""
        return self._mailbox.count(user) >= self._settings.most_messages

    async def add(self, *, user: str, caller: str, called: str, duration_s: float, wav_path: Path) -> Message:
        """Keep a message and tell of it once it is durable."""
        message = await self._mailbox.add(user, caller, called, self._clock.today(), duration_s, wav_path)
        self._stream.publish(MessageLeft(user, message.id, duration_s))
        return message

    async def list(self, user: str) -> Sequence[Message]:
        """Return a box's messages, oldest first."""
        return await self._mailbox.list(user)

    async def mark_read(self, message_id: str) -> None:
        """Note that a message was listened to, and tell of it."""
        user = await self._mailbox.mark_read(message_id)
        if user is not None:
            self._stream.publish(MessageRead(user, message_id))

    async def delete(self, message_id: str) -> bool:
        """Remove a message with its sound, and tell of it; False where there is none."""
        user = await self._mailbox.delete(message_id)
        if user is not None:
            self._stream.publish(MessageDeleted(user, message_id))
        return user is not None

    async def expire(self) -> None:
        """Remove what was heard and is too old, and tell of each message."""
        if self._settings.keep_days is not None:
            before = self._clock.today() - timedelta(days=self._settings.keep_days)
            for user, message_id in await self._mailbox.expire(before):
                self._stream.publish(MessageExpired(user, message_id))

    @property
    def _settings(self) -> VoicemailSettings:
        return self._administration.directory.site.voicemail
