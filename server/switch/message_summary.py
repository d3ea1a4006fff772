"""The event package `message-summary` (RFC 3842): how many messages wait in the watcher's own voicemail box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..sip.subscription import State
from ..sip.uri import SipUri
from .events import MessageDeleted, MessageExpired, MessageLeft, MessageRead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...channels.session import Party
    from ..site.administration import Administration
    from .boxes import Boxes


class MessageSummary:
    """See the module; what is watched is the box of a user, by his name."""

    name = "message-summary"
    content_type = "application/simple-message-summary"

    def __init__(self, administration: Administration, boxes: Boxes) -> None:
        self._administration = administration
        self._boxes = boxes

    def admit(self, watcher: Party, number: str) -> str | Refusal:
        """Everybody watches his own box, by its number, name or the number for listening, and those shared with him."""
        directory, user = self._administration.directory, watcher.user
        target = directory.user_of(number)
        listening = directory.site.voicemail.extension
        if user is None or (target is None and number != listening):
            return Refusal("number.unknown")
        watched = user if target is None else target.name
        if watched != user:
            box = self._boxes.box_of(watched)
            if box is None or user not in box.shared_with:
                return Refusal("auth.forbidden")
        for one in (user, watched):
            answer = self._administration.gate.may(one, "voicemail")
            if isinstance(answer, Refusal):
                return answer
        return watched

    def concerned(self, event: object) -> Iterable[str]:
        """Messages come, are read, and go."""
        changes = MessageLeft | MessageRead | MessageDeleted | MessageExpired
        return (event.user,) if isinstance(event, changes) else ()

    async def state(self, resource: str) -> State:
        """Count the messages of a box."""
        messages = await self._boxes.list(resource)
        old = sum(message.read for message in messages)
        new = len(messages) - old
        body = (
            f"Messages-Waiting: {'yes' if new else 'no'}\r\n"
            f"Message-Account: {self._account(resource)}\r\n"
            f"Voice-Message: {new}/{old} (0/0)\r\n"
        ).encode()
        return State.of(self.content_type, body)

    def _account(self, user: str) -> SipUri:
        """Where the messages are heard: a shared box by its number, others by that for listening, or the account."""
        directory, box = self._administration.directory, self._boxes.box_of(user)
        site, owner = directory.site, directory.by_name(user)
        if box is not None and owner is not None and box.shared_with:
            return SipUri("sip", site.voicemail.box_number(owner.extension), site.server.domain)
        return SipUri("sip", site.voicemail.extension or user, site.server.domain)
