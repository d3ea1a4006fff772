"""The two softphones of a user: `sip:NAME` on a computer, and `sip:NAME+mobile` in a mobile telephone.

See docs/decisions/0042-softphone-mobile.md for why the second one is an account of its own.
"""

from __future__ import annotations

from typing import Final

MOBILE: Final = "+mobile"
"""What follows the name in the account of a mobile softphone; no user's name ends so."""


def mobile_account(user: str) -> str:
    """Return the account of a user's mobile softphone."""
    return user + MOBILE


def owner_of(account: str) -> str:
    """Return the name of the user whose softphone this would be."""
    return account.removesuffix(MOBILE)


def function_of(account: str) -> str:
    """Return the function that a softphone's account needs."""
    return "softphone_mobile" if account.endswith(MOBILE) else "softphone"
