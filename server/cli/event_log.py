"""The event stream as log lines: calls, refusals, messages and an administrator's changes, at level info.

Digits and registrations are left out: the first may be a PIN, the second come by the thousand.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, get_args

import structlog

from ..site.events import SiteEvent
from ..switch.events import CallEnded, CallStarted, MessageLeft, Refused

if TYPE_CHECKING:
    from ..switch.stream import EventStream, Stamped

_TOLD = (CallStarted, CallEnded, MessageLeft, *get_args(SiteEvent))

log = structlog.get_logger()


def follow(stream: EventStream) -> None:
    """Log what happens from now on."""
    stream.listen(_tell)


def _tell(stamped: Stamped) -> None:
    event = stamped.event
    if isinstance(event, Refused):
        name = "request.refused" if event.call_id is None else "call.refused"
    elif isinstance(event, _TOLD):
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", ".", type(event).__name__).lower()
    else:
        return
    fields = {
        key: sorted(value) if isinstance(value, frozenset) else value for key, value in asdict(event).items()
    }
    log.info(name, seq=stamped.seq, **fields)
