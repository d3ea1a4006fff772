"""Menus of a box: what each key is for, as it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media.plane import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

PAUSE_S = 4.0
"""So long a menu waits for a key when it has been said."""


def offered(keys: Mapping[str, str]) -> tuple[Prompt, ...]:
    """Say a menu: for each key the announcement of what it does, then the key."""
    return tuple(prompt for key, what in keys.items() for prompt in (Prompt(what), Prompt(key)))
