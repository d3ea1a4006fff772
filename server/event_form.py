"""How an event is told outside the house: its name and its fields as JSON values.

Audit log, event log and webhooks ask here, so that an event is called the same wherever it is met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, get_args

from ..channels.media.worker_events import WorkerEvent
from .outgoing.events import OutgoingEvent
from .site.events import SiteEvent
from .switch.events import DigitPressed, Refused, SwitchEvent

CALL_REFUSED, REQUEST_REFUSED = "call.refused", "request.refused"


def name_of(event: Any) -> str:
    """`LicenceAssigned` is `licence.assigned`; a refusal is of a call, or of another request."""
    if isinstance(event, Refused):
        return REQUEST_REFUSED if event.call_id is None else CALL_REFUSED
    return _named(type(event).__name__)


def values_of(event: Any) -> dict[str, Any]:
    """The fields of an event, a dataclass, as JSON values: sets sorted, times in ISO 8601."""
    return {one.name: _plain(getattr(event, one.name)) for one in fields(event)}


@cache
def _named(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", ".", kind).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return sorted(value) if isinstance(value, frozenset) else value


TOLD_OUTSIDE = frozenset(
    _named(kind.__name__)
    for kind in (
        *get_args(SiteEvent),
        *get_args(SwitchEvent),
        *get_args(WorkerEvent),
        *get_args(OutgoingEvent),
    )
    if kind not in {DigitPressed, Refused}
) | {CALL_REFUSED, REQUEST_REFUSED}
"""The names of all events but pressed digits, which may be a PIN."""
