"""What is the case when a call comes, as conditions ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.conditions.condition import Circumstances
from ...features.conditions.language import language_of

if TYPE_CHECKING:
    from ...channels.session import Party
    from ..clock import Clock
    from ..site.directory import Directory


def circumstances_of(
    party: Party, called: str, directory: Directory, clock: Clock, presences: frozenset[str] = frozenset()
) -> Circumstances:
    """Return what is the case while `party` calls `called`; calendars without a time zone read this machine's.

    A user is known by extension and name, whichever account he calls from; who hides is not known.
    """
    server, user = directory.site.server, directory.by_name(party.user) if party.user else None
    known = (party.number,) if user is None else (user.extension, user.name)
    return Circumstances(
        clock.today().astimezone(),
        () if party.private or party.number == "anonymous" else known,
        called,
        "internal" if party.trunk is None else "external",
        presences,
        language_of(party.number, server.language, server.languages),
    )
