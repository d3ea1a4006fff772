"""Answers to calls for which no channel is free, by pool and by where the call comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Response:
    """A final SIP status, perhaps with a phrase of its own and another Retry-After than usual.

    With `announces` the caller hears first, as early media, that all lines are busy.
    """

    status: int
    phrase: str | None = None
    retry_after_s: int | None = None
    announces: bool = False

    @property
    def passes(self) -> bool:
        """Whether it is worth trying again: 403 says that it is not (RFC 3261 21.4.4)."""
        return self.status != 403


@dataclass(frozen=True, slots=True)
class ByOrigin:
    """The answers to a call from inside and to one from a trunk."""

    internal: Response
    external: Response
