"""Which answer a refusal gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .profiles import ANNOUNCEMENT, PROFILES
from .settings import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...channels.session import Party
    from ...licensing.refusal import Refusal

_EXHAUSTED = ".exhausted"

Choice = int | str
"""A SIP status, or `announcement`."""


def response_to(
    refusal: Refusal, caller: Party, profile: str, own: Mapping[str, Mapping[str, Choice]]
) -> Response | None:
    """Return how `caller` is refused a channel; None for every other refusal, which the one table answers alone.

    `own` has what the site chose for a pool and an origin, and goes before the profile.
    """
    pool = refusal.reason.removesuffix(_EXHAUSTED)
    if pool not in own:
        return None
    origin = "internal" if caller.trunk is None else "external"
    chosen = own[pool].get(origin)
    match chosen:
        case None:
            return PROFILES[profile].internal if origin == "internal" else PROFILES[profile].external
        case int():
            return Response(chosen)
        case _:
            return ANNOUNCEMENT
