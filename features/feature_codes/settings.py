"""Which codes a site has, and whose calls its users pick up by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

_STRICT: Mapping[str, object] = {"extra": "forbid", "strict": True}

BEFORE_DIGITS: Final = ("pickup", "retrieve")
"""The codes that are dialled before digits."""
BEFORE_NUMBERS: Final = ("forward_always", "forward_busy", "forward_no_answer")
"""The codes that are dialled before any number, a mailbox's too, or alone for none. All others are dialled alone."""


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """`[feature_codes]`: the code of each feature, empty for none.

    The defaults begin no mailbox's number (`*` and an extension), whatever the extensions of two and more digits; nor
    have they a #, which not every telephone writes as a SIP URI wants it.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    pickup: str = "**8"
    group_pickup: str = "*8"
    park: str = "*7"
    retrieve: str = "**7"
    pull: str = "*6"
    conference: str = "*3"
    forward_always: str = "*21*"
    forward_busy: str = "*67*"
    forward_no_answer: str = "*61*"
    do_not_disturb: str = "**21"
    do_not_disturb_off: str = "**20"
    call_waiting: str = "**41"
    call_waiting_off: str = "**40"
    call_back: str = "**31"
    call_back_off: str = "**30"


@dataclass(frozen=True, slots=True)
class PickupGroup:
    """`[[pickup_group]]`: users who pick up for each other; who is in none does so in his configuration group."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    members: tuple[str, ...] = ()
