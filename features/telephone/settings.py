"""The personal settings of the telephone, which go with no licensed function."""

from __future__ import annotations

from typing import Any, Final

from ..declaration import Declaration

TELEPHONE: Final = "telephone"
"""What settings belong to that go with no licensed function; it is never switched off."""
LONGEST_RING_S: Final = 180

_NUMBER = 'a number to dial, such as "101" or "*100"'

PERSONAL: Final[tuple[Declaration[Any], ...]] = (
    *(
        Declaration(TELEPHONE, f"forward.{kind}", str, _NUMBER, in_file=True)
        for kind in ("busy", "no_answer", "not_registered")
    ),
    Declaration(TELEPHONE, "forward.after_s", float, f"1 to {LONGEST_RING_S} seconds", in_file=True),
)
