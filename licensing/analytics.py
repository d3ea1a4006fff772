"""Who may see Analytics: everybody or nobody, as every member of its teams holds TeamDesk or not (L-51 to L-56).

The rule is of the whole system (A-16). It closes a view; recording goes on meanwhile (L-56).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from .gate import GRANTED, Granted
from .refusal import Refusal, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .allocation import Allocation


class Team(Protocol):
    """A hotline: with `analytics` its `members` count; leaders who are no members need no licence (L-52)."""

    @property
    def members(self) -> Iterable[str]:
        """The names of the users who take calls for it."""
        ...

    @property
    def analytics(self) -> bool:
        """Whether Analytics shows it."""
        ...


@dataclass(frozen=True, slots=True)
class PageWarning:
    """A warning for one page of the console (L-53)."""

    page: Literal["analytics", "start"]
    code: str
    text: str
    text_de: str


def unlicensed_members(teams: Iterable[Team], allocation: Allocation) -> tuple[str, ...]:
    """The members of Analytics teams who do not hold TeamDesk (A-17), once each, in the order of service.

    Raises `KeyError` for a member who is no user.
    """
    members = {member for team in teams if team.analytics for member in team.members}
    lacking = {member for member in members if "teamdesk" not in allocation.assigned(member)}
    return tuple(user for user in allocation.users if user in lacking)


def access(teams: Iterable[Team], allocation: Allocation, *, cti: bool) -> Granted | Refusal:
    """Whether Analytics is open, for whoever asks (L-55); `cti` tells whether a TAPI or CSTA session is up (L-54).

    Without one that is the reason, since no licence would help; unlicensed members are listed all the same.
    """
    lacking = unlicensed_members(teams, allocation)
    facts: dict[str, object] = {"users": lacking} if lacking else {}
    chain = (Step("cti", cti), Step("members", not lacking, {"users": lacking}))
    if not cti:
        return Refusal("analytics.no_cti", chain, facts)
    return Refusal("analytics.members_unlicensed", chain, facts) if lacking else GRANTED


def warnings(teams: Iterable[Team], allocation: Allocation) -> tuple[PageWarning, ...]:
    """One warning for the page of Analytics and one for the start page, while members lack TeamDesk (L-53)."""
    lacking = unlicensed_members(teams, allocation)
    if not lacking:
        return ()
    text = f"Analytics is closed: {len(lacking)} team members lack TeamDesk: {', '.join(lacking)}."
    text_de = f"Analytics ist zu: {len(lacking)} Mitgliedern fehlt TeamDesk: {', '.join(lacking)}."
    code = "analytics.members_unlicensed"
    return (PageWarning("analytics", code, text, text_de), PageWarning("start", code, text, text_de))
