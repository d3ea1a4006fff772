"""Answering a challenge with an account's password (RFC 3261 22.2): trunks and scripted phones do it the same way."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .credentials import Challenge
from .grammar import SipSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from .message import Request, Response


class Authorizer:
    """One account; call it with a 401 or 407 and the request that it answers. `random` makes the cnonces.

    With `realm` it answers challenges of that realm alone (RFC 3261 22.3): whoever else asks gets no hash to guess at.
    """

    def __init__(self, username: str, password: str, random: Random, realm: str | None = None) -> None:
        self._username = username
        self._password = password
        self._random = random
        self._realm = realm

    def __call__(self, response: Response, request: Request) -> tuple[str, str] | None:
        """Return the header to send the request again with; None when no challenge is one that we can answer.

        Of several the first that we speak counts, for they stand in the order of preference (RFC 8760 2.4).
        """
        name, answer = (
            ("www-authenticate", "Authorization")
            if response.status == 401
            else ("proxy-authenticate", "Proxy-Authorization")
        )
        challenge = next((one for one in _challenges(response.all(name)) if self._answers(one)), None)
        if challenge is None:
            return None
        cnonce = f"{self._random.getrandbits(64):016x}"
        return answer, str(
            challenge.answer(self._username, self._password, request.method, request.uri, cnonce=cnonce)
        )

    def _answers(self, challenge: Challenge) -> bool:
        return challenge.is_spoken and self._realm in (None, challenge.realm)


def _challenges(values: Iterable[str]) -> Iterator[Challenge]:
    for value in values:
        with suppress(SipSyntaxError):  # one that cannot be read is none that we speak
            if (challenge := Challenge.parse(value)) is not None:
                yield challenge
