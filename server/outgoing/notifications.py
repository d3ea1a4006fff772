"""Tells users by mail and SMS what happens at their boxes: a new message, or the PIN that was made for them.

It hears the stream and only notes what there is to tell; one task writes it, so that no call waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import structlog

from ...features.voicemail.notification import MAIL, SMS, mail_notice, sms_notice
from ...features.voicemail.settings import LANGUAGE
from ...features.voicemail.wording import NewMessage, Words
from ...licensing.refusal import Refusal
from ..site.declared import chosen
from ..site.events import PinMade
from ..store.failure import StoreError
from ..store.outbox import Parcel
from ..switch.events import MessageLeft

if TYPE_CHECKING:
    from ..site.administration import Administration
    from ..site.site import User
    from ..store.mailbox import Mailbox, Message
    from ..switch.decisions import Decisions
    from ..switch.stream import EventStream, Stamped
    from .dispatcher import Dispatcher

LAST_CHANCE_S = 2.0

log = structlog.get_logger()


class Notifications:
    """What is written for the users of one server; a refused SMS is a decision as every refusal."""

    def __init__(
        self,
        administration: Administration,
        mailbox: Mailbox,
        dispatcher: Dispatcher,
        decisions: Decisions,
        stream: EventStream,
    ) -> None:
        self._administration = administration
        self._mailbox = mailbox
        self._dispatcher = dispatcher
        self._decisions = decisions
        self._due: deque[MessageLeft | PinMade] = deque()
        self._task: asyncio.Task[None] | None = None
        self._leave = stream.listen(self._hear)

    async def stop(self) -> None:
        """Write what has happened up to now, and hear no more."""
        self._leave()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=LAST_CHANCE_S)
            self._task.cancel()

    def _hear(self, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, MessageLeft | PinMade):
            self._due.append(event)
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._tell_all())

    async def _tell_all(self) -> None:
        """Write for everything that is due; what comes at once is kept at once."""
        while self._due:
            parcels: list[Parcel] = []
            while self._due:
                parcels += await self._written(self._due.popleft())
            try:
                if parcels:
                    await self._dispatcher.put(parcels)
            except StoreError as error:
                log.warning("outbox.failed", why=str(error), lost=len(parcels))

    async def _written(self, event: MessageLeft | PinMade) -> list[Parcel]:
        user = self._administration.directory.by_name(event.user)
        if user is None:
            return []
        if isinstance(event, PinMade):
            return [self._pin(user)] if user.voicemail_pin is not None else []
        message = await self._mailbox.get(event.message_id)
        return [] if message is None else self._of_message(user, message)

    def _of_message(self, user: User, message: Message) -> list[Parcel]:
        told, language = self._new_message(user, message), self._language(user)
        parcels: list[Parcel] = []
        mail = mail_notice(told, language, user.email, chosen(user, MAIL))
        if mail is not None:
            sound = message.path if mail.sound else None
            waits = self._dispatcher.carries("mail")
            parcels.append(Parcel("mail", user.name, mail.to, mail.text, mail.subject, sound, waits))
        sms = sms_notice(user.name, told, language, self._administration.gate, chosen(user, SMS))
        if isinstance(sms, Refusal):
            self._decisions.mint(sms, f"SMS of a new message for {user.name}", user=user.name)
        elif sms is not None:
            waits = self._dispatcher.carries("sms")
            parcels.append(Parcel("sms", user.name, sms.to, sms.text, waits=waits))
        return parcels

    def _pin(self, user: User) -> Parcel:
        """A mail with the user's PIN; without an address it stays in the outbox, to his name in the site's domain."""
        site, words = self._administration.directory.site, Words(self._language(user))
        to = user.email or f"{user.name}@{site.server.domain}"
        waits = user.email is not None and self._dispatcher.carries("mail")
        shown, pin = user.display_name or user.name, user.voicemail_pin or ""
        text = words.pin(shown, user.extension, pin, site.voicemail.extension)
        return Parcel("mail", user.name, to, text, words.pin_subject(), waits=waits)

    def _new_message(self, user: User, message: Message) -> NewMessage:
        directory = self._administration.directory
        caller = directory.by_extension(message.caller) or directory.by_name(message.caller)
        is_number = message.caller.removeprefix("+").isdigit()
        return NewMessage(
            user.display_name or user.name,
            caller.extension if caller is not None else message.caller if is_number else None,
            None if caller is None else caller.display_name,
            message.received_at.astimezone(),
            message.duration_s,
            directory.site.voicemail.extension,
        )

    def _language(self, user: User) -> str:
        wanted = chosen(user, LANGUAGE)
        return wanted if wanted in {"de", "en"} else self._administration.directory.site.server.language
