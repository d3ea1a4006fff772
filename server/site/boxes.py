"""What `[voicemail]` may say of boxes: how they are dialled, and how much they hold. Part of `checks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .numbers import is_prefix
from .problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Site

_LIMITS = {"longest_message_s": (1, 3600), "most_messages": (1, 10_000), "keep_days": (1, 3650)}


def box_problems(site: Site) -> Iterator[Problem]:
    """A prefix that no telephone has, and limits that are none."""
    voicemail = site.voicemail
    if not is_prefix(voicemail.direct_prefix):
        what = f'the direct_prefix "{voicemail.direct_prefix}" cannot be dialled'
        yield Problem(("voicemail", "direct_prefix"), what, "use 1 to 4 digits, * or #")
    for key, (least, most) in _LIMITS.items():
        value = getattr(voicemail, key)
        if value is not None and not least <= value <= most:
            what = f"{key} = {value:g} is no limit of a voicemail box"
            yield Problem(("voicemail", key), what, f"write {least} to {most}")
