"""The licence question, as every feature asks it; `licensing.gate.Gate` answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..licensing.gate import Granted
    from ..licensing.refusal import Refusal


class Gate(Protocol):
    """What may be done."""

    def may(self, user: str, function: str) -> Granted | Refusal:
        """Say whether `user` may use `function`."""
        ...

    def may_use(self, key: str) -> Granted | Refusal:
        """Say whether the system holds an effective licence `key`."""
        ...
