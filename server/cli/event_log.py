"""The event stream as log lines: calls, refusals, messages and an administrator's changes, at level info.

Digits and registrations are left out: the first may be a PIN, the second come by the thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import structlog

from ..event_form import name_of, values_of
from ..hooks.events import HookEvent
from ..site.events import SiteEvent
from ..switch.events import (
    CallEnded,
    CallStarted,
    MessageLeft,
    OverloadBegan,
    OverloadEnded,
    Refused,
    SourceBanned,
    SourceUnbanned,
)

if TYPE_CHECKING:
    from ..switch.stream import EventStream, Stamped

_TOLD = (
    CallStarted,
    CallEnded,
    MessageLeft,
    Refused,
    SourceBanned,
    SourceUnbanned,
    OverloadBegan,
    OverloadEnded,
    *get_args(SiteEvent),
    *get_args(HookEvent),
)

log = structlog.get_logger()


def follow(stream: EventStream) -> None:
    """Log what happens from now on."""
    stream.listen(_tell)


def _tell(stamped: Stamped) -> None:
    event = stamped.event
    if isinstance(event, _TOLD):
        log.info(name_of(event), seq=stamped.seq, **values_of(event))
