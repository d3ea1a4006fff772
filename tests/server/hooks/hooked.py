"""A webhook, and events for it, for the tests of this folder."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ringfence.server.hooks.outbox import Outbox
from ringfence.server.site.events import LimitReached
from ringfence.server.site.site import Webhook
from ringfence.server.switch.stream import Stamped

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET = "a-long-secret"


def webhook(*events: str, url: str = "http://127.0.0.1:9/", secret: str = SECRET) -> Webhook:
    return Webhook("ci", url, secret, events or ("*",))


def event(seq: int) -> Stamped:
    return Stamped(seq, float(seq), LimitReached("fax", seq))


def outbox(events: Iterable[Stamped] = (), *, room: int = 1000, most_tries: int = 16) -> Outbox:
    numbers = count(1)
    box = Outbox(webhook(), lambda: f"w-{next(numbers)}", room=room, most_tries=most_tries)
    for one in events:
        box.put(one)
    return box
