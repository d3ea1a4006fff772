"""The documented shapes of the licence reports, as `licensing` writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

_EXACT: Mapping[str, object] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class SeatCounts:
    """Seats of one licence at one location; `missing` = required - assigned."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    required: int
    assigned: int
    missing: int


@dataclass(frozen=True, slots=True)
class PoolCounts(SeatCounts):
    """Seats of one licence in the whole system."""

    bought: int


@dataclass(frozen=True, slots=True)
class MissingLicence:
    """A licence that a user lacks: `state` is under_licensed or blocked, `because` names what it waits for."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    licence: str
    state: str
    reason: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserLicences:
    """What one user requires, holds and lacks."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    user: str
    required: tuple[str, ...]
    assigned: tuple[str, ...]
    missing: tuple[MissingLicence, ...]


@dataclass(frozen=True, slots=True)
class EffectiveChannels:
    """The channels and data sources in effect."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    ip_channel: int
    auto_attendant: int
    data_sources: int


@dataclass(frozen=True, slots=True)
class OverviewWarning:
    """Something that an administrator should know."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Package:
    """A licence package: what it brings, and whether it counts."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    id: str
    customer: str
    key: str
    developer: bool
    state: str
    licences: dict[str, int]
    issued: str
    not_before: str
    not_after: str | None


@dataclass(frozen=True, slots=True)
class Mode:
    """The mode of a pool; `over_since` and `until` are ISO 8601."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    mode: str
    grace_days: int | None
    grace_percent: int | None
    overdraft: int | None
    over_since: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The licences of the whole system; `developer` if a package counts that the developer key signed."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    scheme_version: int
    developer: bool
    packages: tuple[Package, ...]
    pools: dict[str, PoolCounts]
    modes: dict[str, Mode]
    users: tuple[UserLicences, ...]
    locations: dict[str, dict[str, SeatCounts]]
    contingents: dict[str, dict[str, int]]
    channels: EffectiveChannels
    warnings: tuple[OverviewWarning, ...]


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One thing that was looked at on the way to a decision; `facts` differ by `check`."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    check: str
    passed: bool
    facts: dict[str, object]
    text: str
    text_de: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a user may use a function, step by step."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    user: str
    function: str
    granted: bool
    tolerated: str | None
    reason: str | None
    steps: tuple[StepTaken, ...]
    text: str
    text_de: str


@dataclass(frozen=True, slots=True)
class PoolChange:
    """One licence before and after."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    before: PoolCounts
    after: PoolCounts


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """The channels before and after."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    before: EffectiveChannels
    after: EffectiveChannels


@dataclass(frozen=True, slots=True)
class UserChange:
    """What a change means to one user."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    user: str
    licences_gained: tuple[str, ...]
    licences_lost: tuple[str, ...]
    functions_gained: tuple[str, ...]
    functions_lost: tuple[str, ...]
    settings_deleted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a change would bring; `users` are those to whom it means something."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _EXACT
    scheme_version: int
    users: tuple[UserChange, ...]
    pools: dict[str, PoolChange]
    channels: ChannelChange
