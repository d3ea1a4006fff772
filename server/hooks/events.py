"""What the webhooks tell of themselves. The failure goes to the stream, never to a webhook; the gap to its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebhookFailed:
    """A delivery was not taken, for the `tries`th time; `again_in_s` is None where it is given up."""

    webhook: str
    delivery: str
    event: str
    tries: int
    why: str
    again_in_s: float | None


@dataclass(frozen=True, slots=True)
class WebhookGap:
    """So many events before this one were given up, or gave way where more waited than there is room for."""

    webhook: str
    missing: int


HookEvent = WebhookFailed | WebhookGap
