"""Which of a user's telephones ring at once, and which later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..route import Also
from ..softphone.account import MOBILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..route import Leave
    from .settings import Profile


def in_order(
    profile: Profile, accounts: Sequence[str], asleep: Sequence[Also], outside: Sequence[Leave], *, desk: str
) -> tuple[tuple[str, ...], tuple[Also, ...]]:
    """Return the accounts that ring at once, and what rings also.

    `accounts` are licensed and registered, `asleep` those that are to be woken, and `outside` numbers; `desk` is the
    account of the desk phone.
    """
    after_s = profile.after_s

    def delay_of(account: str) -> float:
        is_late = {
            "all": False,
            "softphone_first": account == desk,
            "mobile_after": account.endswith(MOBILE),
        }[profile.order]
        return after_s if is_late else 0.0

    first = tuple(one for one in accounts if not delay_of(one))
    late = [Also(one, after_s) for one in accounts if delay_of(one)]
    woken = [Also(one.target, delay_of(str(one.target)), one.wake_s) for one in asleep]
    away_s = 0.0 if profile.order == "all" else after_s
    away = [Also(one, away_s, confirm=profile.confirm) for one in outside]
    return first, (*late, *woken, *away)
