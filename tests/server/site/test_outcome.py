"""A dry run tells exactly what then happens, whatever is done."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.fixtures import store_load as load
from ringfence.licensing.what_if import UserChange
from ringfence.server.site.acts import DeleteUser, MoveUser
from ringfence.server.site.administration import Administration
from ringfence.server.site.holdings import Holdings
from ringfence.server.site.require import AdministrationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.server.site.acts import Act
    from ringfence.server.site.events import SiteEvent
    from ringfence.server.site.outcome import Outcome
    from ringfence.server.site.site import Site


def desk_for(site: Site, heard: list[SiteEvent]) -> Administration:
    return Administration(Holdings.of(site), None, heard.append, random=Random(7), clock=lambda: load.AT)


async def test_a_dry_run_names_who_gains_and_loses_what_and_changes_nothing(site: Site) -> None:
    """L-05, L-06, L-48"""
    heard: list[SiteEvent] = []
    desk = desk_for(site, heard)
    await desk.start()
    heard.clear()
    before = desk.holdings
    result = await desk.apply(MoveUser("anna", "Ulm", "Lager"), DeleteUser("clara"), dry_run=True)
    assert result.users == (
        UserChange(
            "anna",
            (),
            ("office", "office_plus", "voicemail"),
            (),
            ("softphone", "voicemail"),
            ("voicemail_pin", "forward.busy"),
        ),
        UserChange("ben", ("office", "office_plus"), (), ("softphone",), (), ()),
        UserChange("clara", (), ("voicemail",), (), ("voicemail",), ("voicemail_pin",)),
    )
    assert desk.holdings is before
    assert heard == []


async def test_what_changes_nothing_brings_nothing(site: Site) -> None:
    desk = desk_for(site, [])
    await desk.start()
    outcome = await desk.apply(MoveUser("anna", "Ulm", "Plus"), dry_run=True)
    assert (outcome.events, outcome.users) == ((), ())


async def answer(desk: Administration, acts: Sequence[Act], *, dry_run: bool) -> Outcome | str:
    try:
        return await desk.apply(*acts, dry_run=dry_run)
    except AdministrationError as error:
        return error.sentence


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), bulk=st.integers(1, 6))
async def test_a_dry_run_tells_exactly_what_then_happens(seed: int, bulk: int) -> None:
    heard: list[SiteEvent] = []
    desk = desk_for(load.site(8), heard)
    await desk.start()
    random = Random(seed)
    for _ in range(8):
        acts = [load.random_act(random, desk.holdings) for _ in range(bulk)]
        heard.clear()
        told = await answer(desk, acts, dry_run=True)
        assert heard == []
        happened = await answer(desk, acts, dry_run=False)
        assert told == happened
        assert isinstance(happened, str) or tuple(heard) == happened.events
