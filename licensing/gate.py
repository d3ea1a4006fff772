"""The one question at run time: may this user do that?

Routing, the registrar and every door ask `Gate.may` with the user and the function before anything is done;
the answer is `Granted` or a `Refusal` with the steps that led to it. A gate is made anew with each allocation, and
when its `valid_until` has come; until then it never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .catalogue import FUNCTIONS, SYSTEM_LICENCES
from .chain import minimum_step, refusal, steps, tolerated_by
from .refusal import Refusal, Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .allocation import Allocation
    from .demand import Subject
    from .entitlement import AttendantUnit, Entitlement
    from .modes import Tolerance


@dataclass(frozen=True, slots=True)
class Granted:
    """A "yes"; `tolerated` names the mode that let it pass without a licence, None if the licence is held."""

    tolerated: str | None = None


GRANTED = Granted()
"""The answer when every licence is held."""


class Gate:
    """Answers for one allocation; each answer is worked out once and kept.

    Without a `tolerance` every pool is enforced.
    """

    def __init__(
        self,
        entitlement: Entitlement,
        allocation: Allocation,
        subjects: Iterable[Subject],
        tolerance: Tolerance | None = None,
    ) -> None:
        self._entitlement = entitlement
        self._allocation = allocation
        self._subjects = {subject.name: subject for subject in subjects}
        self._tolerance = tolerance
        self._answers: dict[tuple[str, str], Granted | Refusal] = {}

    @property
    def valid_until(self) -> datetime | None:
        """From when on another gate has to answer: a grace ends, or a package begins or ends. None: never."""
        grace = None if self._tolerance is None else self._tolerance.valid_until(self._allocation.pools)
        turns = (grace, self._entitlement.next_change_at)
        return min((at for at in turns if at is not None), default=None)

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

    def may_attend(self, number: int, unit: AttendantUnit = "channels") -> Granted | Refusal:
        """Whether the `number`th attendant of the site, from 1, may take calls: each licence is for 20 (A-07)."""
        answer = self.may_use("auto_attendant")
        limit = self._entitlement.auto_attendant_channels
        if isinstance(answer, Refusal) or unit == "channels" or number <= limit:
            return answer
        facts: dict[str, object] = {"licence": "auto_attendant", "position": number, "seats": limit}
        step = Step("attendants", passed=False, facts=facts)
        return Refusal("license.auto_attendant.under_licensed", (Step("server", passed=True), step), facts)

    def may_add_source(self, connected: int) -> Granted | Refusal:
        """Whether one more directory source may be connected to so many (L-17)."""
        server = Step("server", self._entitlement.server)
        limit = self._entitlement.data_sources
        if not server.passed:
            return Refusal("server.unlicensed", (server,))
        if connected >= limit:
            return Refusal("directory.sources.exhausted", (server,), {"used": connected, "limit": limit})
        return GRANTED

    def holds(self, user: str, licence: str) -> bool:
        """Whether `user` holds a licence, or its mode lets him do without; raises `KeyError` if he is unknown."""
        if licence in self._allocation.assigned(user):
            return True
        return self._tolerance is not None and licence in self._tolerance.tolerated(self._allocation, user)

    def _decide(self, user: str, function: str) -> Granted | Refusal:
        subject = self._subjects[user]
        held = self._allocation.assigned(user)
        if held.issuperset(FUNCTIONS[function].licences) and function in subject.functions:
            return GRANTED
        context = (subject, function, self._entitlement, self._allocation, self._tolerance)
        if (refused := refusal(*context)) is not None:
            return refused
        return Granted(tolerated_by(steps(*context)))
