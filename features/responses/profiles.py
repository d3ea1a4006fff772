"""How known systems answer at their limit, as far as they say so in public; docs/decisions/0048-responses.md."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .settings import ByOrigin, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

UNAVAILABLE: Final = Response(503)
BUSY: Final = Response(486)
ANNOUNCEMENT: Final = Response(503, announces=True)


def _both(response: Response) -> ByOrigin:
    return ByOrigin(response, response)


DEFAULT: Final = "ringfence"
PROFILES: Final[Mapping[str, ByOrigin]] = MappingProxyType(
    {
        DEFAULT: _both(UNAVAILABLE),
        "freeswitch": _both(Response(503, "Maximum Calls In Progress", 300)),
        "jambonz": _both(Response(503, "Maximum Calls In Progress")),
        "asterisk": _both(UNAVAILABLE),
        "genesys": _both(UNAVAILABLE),
        "ivozprovider": ByOrigin(Response(403, "Maxcalls exceeded"), BUSY),
        "3cx": ByOrigin(ANNOUNCEMENT, BUSY),
        "mor": _both(BUSY),
    }
)
"""The same for both pools, by the name that a site file gives."""
