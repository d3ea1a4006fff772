"""How licence packages count: a protocol that the site's changes ask, and the reader that knows none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ...licensing.entitlement import Entitlement
from .require import AdministrationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Checked:
    """A package whose signature and dates are right: its id, and what was bought with it."""

    id: str
    licences: Mapping[str, int]


class PackageReader(Protocol):
    """Checks packages, and counts those of a store."""

    def check(self, data: bytes, now: float) -> Checked:
        """Read a package that is to be imported at `now` (Unix time); raises an error for one that does not count."""
        ...

    def entitlement(self, plain: Mapping[str, int], packages: Sequence[bytes], now: float) -> Entitlement:
        """What is bought at `now`: `plain` from the site, and the packages that are valid then."""
        ...


class _PlainOnly:
    """Knows the site's plain entitlements and no packages."""

    def check(self, data: bytes, now: float) -> Checked:
        """See `PackageReader.check`."""
        del data, now
        raise AdministrationError(
            "request.invalid", "licence packages are not read here; use [entitlements] of the site file"
        )

    def entitlement(self, plain: Mapping[str, int], packages: Sequence[bytes], now: float) -> Entitlement:
        """See `PackageReader.entitlement`."""
        del packages, now
        return Entitlement(plain)


PLAIN_ONLY: PackageReader = _PlainOnly()
"""For a site without packages."""
