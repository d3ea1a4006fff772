"""Parcels for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.server.store.outbox import Sent

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def mail(to: str = "anna@klein.example", sound: Path | None = None, subject: str = "Voicemail") -> Sent:
    """A mail with an umlaut."""
    return Sent("7", "mail", "anna", to, subject, "Grüße.\n", NOON, "waiting", 0, None, sound)


def sms(to: str = "+49170", text: str = "Voicemail & more: {to}") -> Sent:
    """An SMS whose text has to be escaped in a URL."""
    return Sent("8", "sms", "anna", to, "", text, NOON, "waiting", 0, None, None)
