"""How the telephones of one user ring for his number: a personal setting of the function `one_number`."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the shape
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from ..declaration import STRICT, Declaration

Order = Literal["all", "softphone_first", "mobile_after"]
"""All at once; the softphones before desk phone and numbers outside; the mobile ones after desk phone and softphone."""

MOST_NUMBERS: Final = 5
LONGEST_AFTER_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What comes later rings `after_s` seconds after the first ones, or at once when none of these rings any more.

    `numbers` are telephones outside, as they are dialled in the house. Where `confirm` is a digit, whoever answers at
    one has to press it, so that no voicemail of somebody else's takes the call.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = STRICT
    order: Order = "all"
    after_s: float = 10.0
    numbers: tuple[str, ...] = ()
    confirm: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be."""
        if not 1 <= self.after_s <= LONGEST_AFTER_S:
            raise ValueError(f"after_s is 1 to {LONGEST_AFTER_S:g} seconds")
        if len(self.numbers) > MOST_NUMBERS:
            raise ValueError(f"there are more than {MOST_NUMBERS} numbers")
        if self.confirm is not None and (len(self.confirm) != 1 or self.confirm not in "0123456789"):
            raise ValueError("confirm is one digit")


RING_ALL: Final = Profile()
PROFILE: Final[Declaration[Profile]] = Declaration(
    "one_number",
    "profile",
    Profile,
    'e.g. { order = "mobile_after", after_s = 10, numbers = ["01711234567"], confirm = "1" }',
    numbers=lambda profile: profile.numbers,
)
PERSONAL: Final[tuple[Declaration[Any], ...]] = (PROFILE,)
