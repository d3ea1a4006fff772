"""The one question at run time: may this user do that?

Routing, the registrar and every door ask `Gate.may` with the user and the function before anything is done;
the answer is `Granted` or a `Refusal` with the steps that led to it. A gate is made anew with each allocation
and never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .catalogue import FUNCTIONS, SYSTEM_LICENCES
from .chain import minimum_step, refusal
from .demand import configured
from .refusal import Refusal, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .allocation import Allocation
    from .demand import Subject
    from .entitlement import Entitlement


@dataclass(frozen=True, slots=True)
class Granted:
    """A "yes"; `tolerated` names the mode that let it pass without a licence, None if the licence is held."""

    tolerated: str | None = None


GRANTED = Granted()
"""The answer when every licence is held."""


class Gate:
    """Answers for one allocation; each answer is worked out once and kept."""

    def __init__(self, entitlement: Entitlement, allocation: Allocation, subjects: Iterable[Subject]) -> None:
        self._entitlement = entitlement
        self._allocation = allocation
        self._subjects = {subject.name: subject for subject in subjects}
        self._answers: dict[tuple[str, str], Granted | Refusal] = {}

    def may(self, user: str, function: str) -> Granted | Refusal:
        """Whether `user` may use `function`; raises `KeyError` for a user or function that is not known."""
        answer = self._answers.get((user, function))
        if answer is None:
            answer = self._answers[user, function] = self._decide(user, function)
        return answer

    def may_use(self, key: str) -> Granted | Refusal:
        """Whether the system may use one of its own licences, say `auto_attendant`.

        Without Server the reason is `server.unlicensed`, without the licence `….under_licensed`, below its
        minimum of IP channels `….blocked`. Raises `KeyError` if `key` is no system licence.
        """
        if key not in SYSTEM_LICENCES:
            raise KeyError(key)
        facts: dict[str, object] = {"licence": key}
        server = Step("server", self._entitlement.server)
        if not server.passed:
            return Refusal("server.unlicensed", (server,), facts)
        if not self._entitlement.capacity(key):
            return Refusal(
                f"license.{key}.under_licensed", (server, Step("bought", passed=False, facts=facts)), facts
            )
        minimum = minimum_step(key, self._entitlement)
        if not minimum.passed:
            because = {"because": self._entitlement.blocked_by(key)}
            return Refusal(f"license.{key}.blocked", (server, minimum), facts | because)
        return GRANTED

    def _decide(self, user: str, function: str) -> Granted | Refusal:
        subject = self._subjects[user]
        held = self._allocation.assigned(user)
        if held.issuperset(FUNCTIONS[function].licences) and configured(subject, function):
            return GRANTED
        return refusal(subject, function, self._entitlement, self._allocation) or GRANTED
