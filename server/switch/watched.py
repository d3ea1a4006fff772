"""Whose state may be watched: a desk phone by its extension, a person by name as the licences let it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.presence.policy import may_reach
from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from ...channels.session import Party
    from ..site.administration import Administration


def watched_account(administration: Administration, watcher: Party, number: str) -> str | Refusal:
    """Return the account that `number` is, or why `watcher` may not watch it."""
    directory = administration.directory
    is_name = directory.by_name(number) is not None
    if not is_name and directory.by_extension(number) is None:
        return Refusal("number.unknown")
    return may_reach(watcher, number if is_name else None, administration.gate) or number
