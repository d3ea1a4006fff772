"""What can be rung, and what it is told: values of the dialler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..sip.agent import MAX_FORWARDS

if TYPE_CHECKING:
    from ...channels.media.plane import Codec
    from ..sip.authorize import Authorizer
    from ..sip.flow import Peer


@dataclass(frozen=True, slots=True)
class Device:
    """One thing that can be rung: its SIP target, where requests to it go, and who answers its challenges.

    `q` says how gladly it is rung; `routes` are the Route headers of the way to it, `others` further places where it
    may be found.
    """

    name: str
    target: str
    peer: Peer
    authorize: Authorizer | None = None
    q: float = 1.0
    routes: tuple[tuple[str, str], ...] = ()
    others: tuple[Peer, ...] = ()


@dataclass(frozen=True, slots=True)
class Invitation:
    """What each device of one ringing is told; with `hairpin` its leg occupies an IP channel (L-72).

    `codec` is offered first: the caller's, so that nothing has to be translated.
    """

    from_: str
    max_forwards: int = MAX_FORWARDS
    headers: tuple[tuple[str, str], ...] = ()
    hairpin: bool = False
    codec: Codec | None = None
