"""The voicemail boxes as the features want them: settings from the site, messages from the store, an event for each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..store.failure import StoreError
from .box_settings import BoxReader
from .circumstances import circumstances_of
from .events import MessageDeleted, MessageExpired, MessageLeft, MessageLost, MessageRead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ...channels.session import Party
    from ...features.conditions.calendar import Calendar
    from ...features.conditions.condition import Circumstances
    from ...features.voicemail.settings import BoxSettings
    from ..clock import Clock
    from ..site.administration import Administration
    from ..site.site import User, VoicemailSettings
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
        *,
        presence: Callable[[User], frozenset[str]],
    ) -> None:
        self._administration = administration
        self._mailbox = mailbox
        self._reader = BoxReader(sounds)
        self._presence = presence
        self._clock = clock
        self._stream = stream

    def box_of(self, user: str) -> BoxSettings | None:
        """Return the settings of a user's box."""
        found = self._administration.directory.by_name(user)
        return None if found is None else self._reader.box_of(found, self._settings)

    def box_numbered(self, number: str) -> BoxSettings | None:
        """Return the box of an extension."""
        found = self._administration.directory.by_extension(number)
        return None if found is None else self.box_of(found.name)

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """The calendars of the site."""
        return self._administration.directory.calendars

    def circumstances(self, user: str, caller: Party, called: str) -> Circumstances:
        """Return what is the case while `caller` is at the box of `user`."""
        directory = self._administration.directory
        found = directory.by_name(user)
        presences = frozenset[str]() if found is None else self._presence(found)
        return circumstances_of(caller, called, directory, self._clock, presences)

    def is_full(self, user: str) -> bool:
        """Whether there is no room in a box for another message."""
        return self._mailbox.count(user) >= self._settings.most_messages

    async def add(
        self, *, user: str, caller: str, called: str, duration_s: float, wav_path: Path
    ) -> Message | None:
        """Keep a message and tell of it once it is durable; None, which is told as well, where it cannot be kept."""
        try:
            message = await self._mailbox.add(user, caller, called, self._clock.today(), duration_s, wav_path)
        except StoreError as error:
            self._stream.publish(MessageLost(user, caller, duration_s, str(error)))
            return None
        self._stream.publish(MessageLeft(user, message.id, duration_s))
        return message

    async def list(self, user: str) -> Sequence[Message]:
        """Return a box's messages, oldest first."""
        return await self._mailbox.list(user)

    async def mark_read(self, message_id: str) -> None:
        """Note that a message was listened to, and tell of it."""
        user = await self._mailbox.mark_read(message_id, self._clock.today())
        if user is not None:
            self._stream.publish(MessageRead(user, message_id))

    async def delete(self, message_id: str) -> bool:
        """Remove a message with its sound, and tell of it; False where there is none."""
        user = await self._mailbox.delete(message_id)
        if user is not None:
            self._stream.publish(MessageDeleted(user, message_id))
        return user is not None

    async def expire(self) -> None:
        """Remove what was heard too long ago, and tell of each message."""
        if self._settings.keep_days is not None:
            before = self._clock.today() - timedelta(days=self._settings.keep_days)
            for user, message_id in await self._mailbox.expire(before):
                self._stream.publish(MessageExpired(user, message_id))

    @property
    def _settings(self) -> VoicemailSettings:
        return self._administration.directory.site.voicemail
