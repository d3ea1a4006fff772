"""Plays the programme in a company and tells an audience; what a scene runs into becomes its outcome.

The command line plays it in real time, tests in virtual time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ...licensing.overview import pool_counts
from ...licensing.reasons import reason_for
from ..phones.phone import PhoneError
from ..phones.sound import NotAnsweredError
from .company import SceneError
from .outcome import Explanation, Outcome, Performance
from .scenes import ACTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .company import Company
    from .scenes import Scene


class Audience(Protocol):
    """Who watches."""

    def began(self, scene: Scene) -> None:
        """A scene begins."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """A scene is over."""
        ...


async def play(company: Company, audience: Audience, acts: Iterable[tuple[Scene, ...]] = ACTS) -> Performance:
    """Play every act, whatever came of the ones before, and send the phones home."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    outcomes: list[Outcome] = []
    for act in acts:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_play(scene, company, audience)) for scene in act]
        outcomes += [task.result() for task in tasks]
    await company.send_home()
    administration = company.pbx.administration
    return Performance(
        company.pbx.site.server.name,
        tuple(outcomes),
        pool_counts(administration.entitlement, administration.allocation),
        _explanation(company, outcomes),
        loop.time() - began_s,
    )


async def _play(scene: Scene, company: Company, audience: Audience) -> Outcome:
    audience.began(scene)
    try:
        happened = await scene.play(company)
    except TimeoutError:
        outcome = Outcome(scene.title, scene.expected, "something awaited did not happen in time", False)
    except (SceneError, NotAnsweredError, PhoneError, OSError) as error:
        outcome = Outcome(scene.title, scene.expected, str(error), False)
    else:
        outcome = Outcome(scene.title, scene.expected, happened.text, happened.as_expected, happened.refused)
    audience.ended(outcome)
    return outcome


def _explanation(company: Company, outcomes: Iterable[Outcome]) -> Explanation | None:
    """Explain the first refusal that came from a licence, step by step, as it was decided."""
    for outcome in outcomes:
        decision = company.pbx.decisions.get(outcome.refused.decision or "") if outcome.refused else None
        if decision is not None and decision.refusal.chain:
            refusal = decision.refusal
            verdict = reason_for(refusal).sentence(refusal.facts)
            sentences = (*(step.sentence() for step in refusal.chain), verdict)
            return Explanation(decision.id, decision.what, sentences)
    return None
