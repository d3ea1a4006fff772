"""Fifty administrators at once over real HTTP: some order of their changes explains what is left and was told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import aiohttp
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.fixtures import store_load as load
from ringfence.server.api.changes import told
from ringfence.server.api.problem import translated
from ringfence.server.app import Options, Pbx
from ringfence.server.site import acts
from ringfence.server.site.administration import Administration
from ringfence.server.site.require import AdministrationError
from ringfence.server.store import audit
from ringfence.server.store.reading import read_beside
from ringfence.server.store.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringfence.server.site.acts import Act
    from ringfence.server.site.holdings import Holdings

ADMINISTRATORS = 50
Request = tuple[str, str, dict[str, Any]]
Answer = tuple[Any, ...] | str
"""The events that a change brought or would bring, or why it was refused."""


def _listed(functions: frozenset[str] | None) -> list[str] | None:
    return None if functions is None else sorted(functions)


def _created(act: acts.CreateUser) -> Request:
    keys = ("name", "location", "extension", "password", "group")
    return "POST", "users", {"json": {key: getattr(act, key) for key in keys}}


def _created_group(act: acts.CreateGroup) -> Request:
    body = {"location": act.location, "name": act.name, "functions": _listed(act.functions)}
    return "POST", "groups", {"json": body}


def _switched(act: acts.SwitchFunctions) -> Request:
    path = f"locations/{act.location}" if act.group is None else f"groups/{act.location}/{act.group}"
    return "PATCH", path, {"json": {"functions": _listed(act.functions)}}


def _moved(act: acts.MoveUser) -> Request:
    return "PATCH", f"users/{act.name}", {"json": {"location": act.location, "group": act.group}}


REQUESTS: dict[type, Callable[[Any], Request]] = {
    acts.CreateUser: _created,
    acts.ChangeUser: lambda act: ("PATCH", f"users/{act.name}", {"json": dict(act.fields)}),
    acts.MoveUser: _moved,
    acts.DeleteUser: lambda act: ("DELETE", f"users/{act.name}", {}),
    acts.DuplicateLocation: lambda act: ("POST", "locations", {"json": {"name": act.name, "like": act.of}}),
    acts.DeleteLocation: lambda act: ("DELETE", f"locations/{act.name}", {}),
    acts.CreateGroup: _created_group,
    acts.DeleteGroup: lambda act: ("DELETE", f"groups/{act.location}/{act.name}", {}),
    acts.SwitchFunctions: _switched,
    acts.ImportPackage: lambda act: ("POST", "licences/packages", {"data": act.data}),
    acts.ReleaseLine: lambda act: ("DELETE", f"licences/lines/{act.line}", {}),
}
"""Each act that has a route, as method, path and body."""


def timeless(events: Iterable[tuple[str, dict[str, Any]]]) -> Answer:
    """Events without those that name a moment, which no second run has again."""
    return tuple((name, data) for name, data in events if name != "compliance.changed")


async def replay(desk: Administration, act: Act, *, dry_run: bool) -> Answer:
    try:
        outcome = await desk.apply(act, dry_run=dry_run)
    except AdministrationError as error:
        problem = translated(error)
        assert problem is not None
        return problem.problem.detail
    return timeless(json.loads(json.dumps([(one.event, one.data) for one in told(*outcome.events)])))


def lasting(held: Holdings) -> Any:
    """What is held, without what chance and the clock gave it."""
    users = [replace(user, voicemail_pin=user.voicemail_pin and "PIN") for user in held.site.users]
    packages = [one.package.id for one in held.packages]
    return users, held.site.locations, packages, [one.line for one in held.lines], held.highest_seq


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
async def test_some_order_of_the_changes_explains_state_answers_and_log(seed: int) -> None:
    with TemporaryDirectory() as folder:
        pbx = await Pbx.start(load.site(20), Options(seed=1, data_dir=Path(folder) / "data"))
        try:
            await judge(pbx, Random(seed))
        finally:
            await pbx.stop()


async def judge(pbx: Pbx, random: Random) -> None:
    await pbx.administration.apply(acts.BindLine("1000"), acts.BindLine("1001"))
    first, now = pbx.administration.holdings, pbx.clock.today().timestamp()
    drawn = (load.random_act(random, first) for _ in range(1000))
    wanted = [act for act in drawn if type(act) in REQUESTS][:ADMINISTRATORS]
    changes = {f"admin-{n}": (act, random.random() < 0.25) for n, act in enumerate(wanted)}
    secrets = {
        name: await pbx.store.tokens.create(Token(name, "administrator"), pbx.random, actor="root", at=now)
        for name in changes
    }
    async with aiohttp.ClientSession(f"{pbx.http}") as session:

        async def ask(name: str) -> Answer | int:
            act, dry_run = changes[name]
            method, path, body = REQUESTS[type(act)](act)
            headers = {"Authorization": f"Bearer {secrets[name]}"}
            path = f"/api/v1/{path}{'?dry_run=true' if dry_run else ''}"
            async with session.request(method, path, headers=headers, **body) as reply:
                if reply.status >= 400:
                    assert reply.status in {404, 422}
                    problem = await reply.json(content_type=None)
                    return str(problem["detail"])
                if not dry_run:
                    return reply.status
                events = (await reply.json())["events"]
                return timeless((one["event"], one["data"]) for one in events)

        answers = dict(zip(changes, await asyncio.gather(*map(ask, changes)), strict=True))

    assert await read_beside(pbx.store, audit.verify) is None
    log = await read_beside(pbx.store, lambda connection: audit.find(connection, limit=100_000))
    order = [name for name in dict.fromkeys(row[2] for row in reversed(log)) if name in changes]
    assert all(isinstance(answers[name], int) for name in order)

    again = Administration(first, None, lambda _: None, random=Random(1), clock=lambda: now)
    unexplained = set(changes) - set(order)
    for name in [*order, None]:
        for other in sorted(unexplained):
            found = await replay(again, changes[other][0], dry_run=True)
            if found == (() if isinstance(answers[other], int) else answers[other]):
                unexplained.discard(other)
        if name is not None:
            assert not isinstance(await replay(again, changes[name][0], dry_run=False), str)
    assert unexplained == set()
    assert lasting(again.holdings) == lasting(pbx.administration.holdings)
