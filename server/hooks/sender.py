"""How a request to a webhook's receiver leaves: by HTTP, through aiohttp, which is imported for the first one.

No proxy of the environment is used, no redirection followed and no answer read: only its status counts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from .delivery import Post

PATIENCE_S = 10.0


class UndeliveredError(Exception):
    """A request that was not taken, and why."""


class Sender(Protocol):
    """How a request leaves."""

    async def send(self, request: Post) -> None:
        """Send it; raises `UndeliveredError` if it is not answered with 2xx."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class HttpSender:
    """Sends by HTTP; a receiver has 10 s for its answer."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def send(self, request: Post) -> None:
        """See `Sender.send`."""
        from aiohttp import ClientError, ClientSession, DummyCookieJar  # noqa: PLC0415 - only if there is a webhook

        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar())
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                self._session.request(
                    request.method,
                    request.url,
                    data=request.body,
                    headers=request.headers,
                    allow_redirects=False,
                ) as answer,
            ):
                status = answer.status
        except TimeoutError:
            raise UndeliveredError(f"no answer within {PATIENCE_S:g} s") from None
        except (ClientError, OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise UndeliveredError(f"no answer ({why})") from error
        if not 200 <= status < 300:
            raise UndeliveredError(f"answered {status}")

    async def close(self) -> None:
        """See `Sender.close`."""
        if self._session is not None:
            await self._session.close()
