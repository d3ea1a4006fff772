"""What the outbox tells of: frozen values for the stream. None has a text, which may be a PIN."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutboxFilled:
    """A mail or an SMS (`kind`) for a user is in the outbox; `waits` for somebody to carry it away, or stays there."""

    id: str
    kind: str
    user: str
    to: str
    waits: bool


@dataclass(frozen=True, slots=True)
class DeliveryMade:
    """A mail or an SMS was taken by the mail server or the gateway, and is in the outbox no more."""

    id: str
    kind: str
    user: str
    to: str


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """A mail or an SMS was not taken, for the `tries`th time; `again_in_s` is None where it is given up."""

    id: str
    kind: str
    user: str
    to: str
    tries: int
    why: str
    again_in_s: float | None


OutgoingEvent = OutboxFilled | DeliveryMade | DeliveryFailed
