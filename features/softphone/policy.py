"""Which of a user's accounts ring, and whether a softphone may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from .account import function_of, owner_of

if TYPE_CHECKING:
    from ..gate import Gate


def may_use_softphone(account: str, gate: Gate) -> Refusal | None:
    """Return why the softphone `account` is refused, or None when its user is licensed for it."""
    answer = gate.may(owner_of(account), function_of(account))
    return answer if isinstance(answer, Refusal) else None


def accounts_to_ring(
    user: str, desk: tuple[str, ...], softphones: tuple[str, ...], gate: Gate
) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """Choose the accounts that a call to an extension rings, and say why registered softphones are passed over.

    `desk` and `softphones` are the accounts that are registered. The desk phone rings; when none is registered, the
    licensed softphones; with `one_number` all.
    """
    if not softphones or (desk and isinstance(gate.may(user, "one_number"), Refusal)):
        return desk, ()
    refusals = {account: may_use_softphone(account, gate) for account in softphones}
    licensed = tuple(account for account, refusal in refusals.items() if refusal is None)
    return desk + licensed, tuple(refusal for refusal in refusals.values() if refusal is not None)
