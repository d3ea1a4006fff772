"""Where calls wait, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Parking:
    """`[parking]`: how many slots there are, called 1, 2 …, and after how many seconds who parked is rung back."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "strict": True}
    slots: int = 9
    after_s: float = 120.0

    def has(self, slot: str) -> bool:
        """Whether there is a slot of that name."""
        return (
            slot.isascii()
            and slot.isdecimal()
            and slot[0] != "0"
            and len(slot) < 3
            and int(slot) <= self.slots
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all slots, in the order in which they are taken."""
        return tuple(str(one) for one in range(1, self.slots + 1))
