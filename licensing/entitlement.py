"""What was bought, and what that amounts to.

The composition root makes one `Entitlement` from the site's `[entitlements]` and the licence packages; allocation,
gate, channel pools and overview read it. Counts are kept as bought even where they have no effect (L-21).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .catalogue import (
    ATTENDANT_CHANNELS_PER_LICENCE,
    BUILT_IN_DATA_SOURCES,
    BUNDLES,
    DATA_SOURCES_PER_LICENCE,
    LICENCES,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from .package import Package

AttendantUnit = Literal["channels", "attendants", "both"]
"""What an Auto Attendant licence limits to 20: calls at once, attendants that take calls, or each of them (A-07)."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """How many of each licence there are; a key that is absent counts as none.

    `bought` is what counts. `of` makes it from a site's plain entitlement and `packages`, of which those in
    `counting` are valid `at` its moment, and none begins or ends between that and `next_change_at`.

    Raises `ValueError` for a key that the catalogue does not know and for a count below zero.
    """

    bought: Mapping[str, int] = field(hash=False)
    packages: tuple[Package, ...] = ()
    counting: tuple[Package, ...] = ()
    at: datetime | None = None
    next_change_at: datetime | None = None

    def __post_init__(self) -> None:
        for key, count in self.bought.items():
            if key not in LICENCES:
                raise ValueError(f"there is no licence {key!r}; known are {', '.join(LICENCES)}")
            if count < 0:
                raise ValueError(f"{key} = {count} cannot be bought; give 0 or more")

    @staticmethod
    def of(plain: Mapping[str, int], packages: Iterable[Package], now: datetime) -> Entitlement:
        """Add to `plain` what the packages bring that are valid at `now`: orders add up (L-11 to L-14).

        A package that is there twice counts once. Signatures were looked at on import.
        """
        packages = tuple(dict.fromkeys(packages))
        counting = tuple(one for one in packages if one.state(now) == "valid")
        bought = Counter(plain)
        for package in counting:
            bought.update(package.licences)
        turns = (at for one in packages for at in (one.begins_at, one.ends_at) if at is not None and at > now)
        return Entitlement(bought, packages, counting, now, min(turns, default=None))

    @property
    def plain(self) -> dict[str, int]:
        """What is there without any package."""
        plain = Counter(self.bought)
        for package in self.counting:
            plain.subtract(package.licences)
        return dict(plain)

    @property
    def developer(self) -> bool:
        """Whether a package counts that the developer key signed."""
        return any(package.developer for package in self.counting)

    @property
    def server(self) -> bool:
        """Whether a Server licence is there, without which nothing has an effect (L-21)."""
        return self.bought.get("server", 0) > 0

    @property
    def ip_channels(self) -> int:
        """Size of the IP channel pool (L-15, L-28)."""
        return self.bought.get("ip_channel", 0) if self.server else 0

    @property
    def auto_attendant_channels(self) -> int:
        """What the attendant licences are worth: 20 each (L-16), none below two IP channels (L-32)."""
        bought = self.bought.get("auto_attendant", 0)
        return 0 if self.blocked_by("auto_attendant") else ATTENDANT_CHANNELS_PER_LICENCE * bought

    def attendant_channels(self, unit: AttendantUnit) -> int:
        """Size of the attendant channel pool; where `attendants` are counted, as many as IP channels (A-07)."""
        worth = self.auto_attendant_channels
        return self.ip_channels if worth and unit == "attendants" else worth

    @property
    def data_sources(self) -> int:
        """How many directory sources may be connected (L-17)."""
        more = DATA_SOURCES_PER_LICENCE * self.bought.get("additional_databases", 0)
        return BUILT_IN_DATA_SOURCES + more if self.server else 0

    def capacity(self, key: str) -> int:
        """How many of `key` there are to hand out, as bought; what a bundle brings is counted in (L-11)."""
        brought = sum(self.bought.get(bundle, 0) for bundle, part in BUNDLES.items() if part == key)
        return self.bought.get(LICENCES[key].key, 0) + brought

    def blocked_by(self, key: str) -> tuple[str, ...]:
        """What keeps `key` without effect for everybody: `server` or, say, `ip_channel>=2`; else empty."""
        if key != "server" and not self.server:
            return ("server",)
        minimum = LICENCES[key].min_ip_channels
        return (f"ip_channel>={minimum}",) if self.ip_channels < minimum else ()
