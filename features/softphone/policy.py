"""Which of a user's two accounts ring, and whether the softphone may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from ..gate import Gate


def may_use_softphone(user: str, gate: Gate) -> Refusal | None:
    """Return why the softphone of `user` is refused, or None when it is licensed."""
    answer = gate.may(user, "softphone")
    return answer if isinstance(answer, Refusal) else None


def accounts_to_ring(
    user: str, extension: str | None, gate: Gate, *, desk_is_registered: bool, softphone_is_registered: bool
) -> tuple[tuple[str, ...], Refusal | None]:
    """Choose the accounts that a call to `extension` rings, and say why a registered softphone is passed over.

    The desk phone rings; when none is registered, the licensed softphone; with `one_number` both.
    """
    accounts: list[str] = [extension] if extension is not None and desk_is_registered else []
    wants_both = not isinstance(gate.may(user, "one_number"), Refusal)
    if not softphone_is_registered or (accounts and not wants_both):
        return tuple(accounts), None
    refusal = may_use_softphone(user, gate)
    if refusal is None:
        accounts.append(user)
    return tuple(accounts), refusal
