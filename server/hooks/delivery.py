"""A delivery as it goes out: one event of the stream as a JSON body, with headers by which a receiver can trust it.

The signature is HMAC-SHA256 with the webhook's secret, over the timestamp, a full stop and the body. Each try has a
timestamp of its own, so that a receiver can refuse what is old; `X-Ringfence-Delivery` stays the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..event_form import name_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..clock import Clock
    from ..site.site import Webhook
    from ..switch.stream import Stamped


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way; `id` is the same at every try."""

    id: str
    stamped: Stamped

    @property
    def event(self) -> str:
        """The event's name."""
        return name_of(self.stamped.event)


@dataclass(frozen=True, slots=True)
class Post:
    """One request: where to, the headers and the body."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: Literal["GET", "POST"] = "POST"


def post(webhook: Webhook, delivery: Delivery, clock: Clock) -> Post:
    """Sign `delivery` for a try at this moment."""
    stamped = delivery.stamped
    told = {
        "event": delivery.event,
        "seq": stamped.seq,
        "at": clock.at(stamped.at_s).isoformat(timespec="microseconds"),
        "data": values_of(stamped.event),
    }
    body = json.dumps(told, separators=(",", ":")).encode()
    timestamp = str(int(clock.today().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Ringfence",
        "X-Ringfence-Delivery": delivery.id,
        "X-Ringfence-Timestamp": timestamp,
        "X-Ringfence-Signature": f"sha256={signature(webhook.secret, timestamp, body)}",
    }
    return Post(webhook.url, headers, body)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 in lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), b"%s.%s" % (timestamp.encode(), body), hashlib.sha256).hexdigest()
