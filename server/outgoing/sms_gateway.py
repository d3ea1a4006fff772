"""SMS by an HTTP gateway: its URL with the number and the text in it, or a JSON body that the site has laid out.

`{to}` and `{text}` stand for both, wherever they are written; the sender of webhooks carries it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..hooks.delivery import Post
from ..hooks.sender import HttpSender, UndeliveredError
from .carrier import NotCarriedError

if TYPE_CHECKING:
    from ..site.carriers import SmsSettings
    from ..store.outbox import Sent


class GatewayCarrier:
    """Gives SMS to one gateway."""

    def __init__(self, settings: SmsSettings) -> None:
        self._settings = settings
        self._sender = HttpSender()

    async def carry(self, sent: Sent) -> None:
        """See `Carrier.carry`."""
        try:
            await self._sender.send(self.written(sent))
        except UndeliveredError as error:
            raise NotCarriedError(str(error)) from error

    async def close(self) -> None:
        """Let go of the gateway."""
        await self._sender.close()

    def written(self, sent: Sent) -> Post:
        """A parcel as a request: GET, or with a body POST."""
        settings = self._settings
        url = _filled(settings.url, quote(sent.to, safe=""), quote(sent.text, safe=""))
        headers = {"User-Agent": "Ringfence", **settings.headers}
        if not settings.json:
            return Post(url, headers, b"", "GET")
        body = {key: _filled(value, sent.to, sent.text) for key, value in settings.json.items()}
        return Post(url, {"Content-Type": "application/json", **headers}, json.dumps(body).encode())


def _filled(template: str, to: str, text: str) -> str:
    return text.join(part.replace("{to}", to) for part in template.split("{text}"))
