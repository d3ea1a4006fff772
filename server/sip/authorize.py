"""Answering a challenge with an account's password (RFC 3261 22.2): trunks and scripted phones do it the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .credentials import Challenge

if TYPE_CHECKING:
    from random import Random

    from .message import Request, Response


class Authorizer:
    """One account; call it with a 401 or 407 and the request that it answers. `random` makes the cnonces."""

    def __init__(self, username: str, password: str, random: Random) -> None:
        self._username = username
        self._password = password
        self._random = random

    def __call__(self, response: Response, request: Request) -> tuple[str, str] | None:
        """Return the header to send the request again with; None when the challenge is not Digest."""
        name, answer = (
            ("www-authenticate", "Authorization")
            if response.status == 401
            else ("proxy-authenticate", "Proxy-Authorization")
        )
        challenge = Challenge.parse(response.get(name) or "")
        if challenge is None:
            return None
        cnonce = f"{self._random.getrandbits(64):016x}"
        return answer, str(
            challenge.answer(self._username, self._password, request.method, request.uri, cnonce=cnonce)
        )
