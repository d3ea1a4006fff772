"""The record of administrators' changes: what was changed, when, and what it brought about."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from .schema import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from ..site.events import SiteEvent


def note_changes(connection: Connection, events: Sequence[SiteEvent], at: float) -> None:
    """Add `events`, which happened at `at` (Unix time), to the record."""
    rows = [{"at": at, "kind": _kind(event), "detail": _detail(event)} for event in events]
    if rows:
        connection.execute(insert(changes), rows)


def _kind(event: SiteEvent) -> str:
    """`LicenceAssigned` is `licence.assigned`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", ".", type(event).__name__).lower()


def _detail(event: SiteEvent) -> dict[str, Any]:
    return {
        key: sorted(value) if isinstance(value, frozenset) else value for key, value in asdict(event).items()
    }
