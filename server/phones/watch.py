"""What a scripted phone watches at the server, as a lamp does: calls of others, presence, the own voicemail box."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..sip.message import Request
from ..sip.subscriber import Subscriber
from ..sip.uri import SipUri
from ..sip.xml_body import read_xml
from .refused import Refused
from .sound import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sip.agent import Agent
    from ..sip.flow import Peer
    from ..sip.inside import Authorize
    from ..sip.message import Response
    from .phone import Phone


class NotWatchedError(Exception):
    """What was waited for was not shown, and will not be: the subscription was refused, or is over."""


class Watch:
    """One subscription (RFC 6665); `documents` are the bodies of its NOTIFYs, the newest last.

    `response` is the final one to the last SUBSCRIBE, None while or where there is none.
    """

    def __init__(
        self,
        phone: Phone,
        agent: Agent,
        server: Peer,
        authorize: Authorize | None,
        *,
        package: str,
        number: str,
    ) -> None:
        self._phone = phone
        self._changed = asyncio.Event()
        target = str(SipUri("sip", number, phone.domain))
        self._subscriber = Subscriber(
            agent, target, server, from_=phone.address, event=package, authorize=authorize, told=self._hear
        )
        self.number = number
        self.documents: list[str] = []
        self.response: Response | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is shown any more."""
        return self._subscriber.is_over

    @property
    def status(self) -> int:
        """The status of the last SUBSCRIBE; 0 while nobody has answered."""
        return 0 if self.response is None else self.response.status

    @property
    def refused(self) -> Refused | None:
        """What the response told; None while there is none."""
        return None if self.response is None else Refused.of(self.response)

    async def subscribe(self, expires_s: int) -> None:
        """Subscribe, or once more; returns when the state was told, or it is over."""
        before, self.response = len(self.documents), None
        self._subscriber.subscribe(expires_s, self._phone.now())
        self._phone.flush()
        await self._until(
            lambda: self.is_over or (self.status and len(self.documents) > before), 2 * PATIENCE_S
        )

    async def shows(self, text: str, timeout_s: float = PATIENCE_S) -> str:
        """Wait until the newest document has `text` in it, and return that; raises `NotWatchedError` at the end."""
        await self._until(lambda: text in self._newest or self.is_over, timeout_s)
        if text not in self._newest:
            raise NotWatchedError(f"{text!r} was not shown before the end; the last status was {self.status}")
        return self._newest

    @property
    def replaces(self) -> str:
        """The Replaces that picks up the call which rings (RFC 3891 3); raises `NotWatchedError` when none does."""
        for dialog in read_xml(self._newest.encode()) if self.documents else ():
            if name := dialog.get("call-id"):
                tags = f"to-tag={dialog.get('remote-tag')};from-tag={dialog.get('local-tag')}"
                return f"{name};{tags};early-only"
        raise NotWatchedError("no call rings that could be picked up")

    async def stop(self) -> None:
        """Watch no longer."""
        if not self.is_over:
            await self.subscribe(0)

    @property
    def _newest(self) -> str:
        return self.documents[-1] if self.documents else ""

    def _hear(self, message: Request | Response | None) -> None:
        if isinstance(message, Request):
            self.documents.append(message.body.decode(errors="replace"))
        else:
            self.response = message
        self._changed.set()

    async def _until(self, holds: Callable[[], object], timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()
