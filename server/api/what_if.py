"""What a change would bring before it is made, over HTTP: buying, moving, switching, creating, deleting, importing."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import AwareDatetime

from ...licensing.what_if import WhatIfTold
from ..site import acts
from ..site.trial import place_named
from .operation import API, STRICT, Routes
from .users import NewUser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..app import Pbx
    from ..site.acts import Act
    from ..site.directory import Directory

routes = Routes()


@dataclass(frozen=True, slots=True)
class Switch:
    """The whole function list of a location, or of a `group` in it; null only for a group: its location's."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    location: str
    functions: tuple[str, ...] | None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What to try, all of it at once; the fields are taken in the order in which they stand here.

    `packages` are licence packages as issued; `create` is what `POST users` takes; `move` is by user to `Location`
    or `Location/Group`; `add` are licences bought plainly, below zero given back. `at` is the moment to look at, for
    what begins or expires until then; without it, now.
    """

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    packages: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    create: tuple[NewUser, ...] = ()
    switch: tuple[Switch, ...] = ()
    move: dict[str, str] = field(default_factory=dict)
    add: dict[str, int] = field(default_factory=dict)
    at: AwareDatetime | None = None


@routes.post(f"{API}/licences/what-if")
async def try_change(pbx: "Pbx", trial: Trial) -> WhatIfTold:
    """Tell what a change would bring to whom; nothing is changed."""
    now = pbx.administration
    return now.what_if(*_acts(trial, now.directory), add=trial.add, at=trial.at).as_dict()


def _acts(trial: Trial, directory: "Directory") -> "Iterator[Act]":
    yield from (acts.ImportPackage(text.encode()) for text in trial.packages)
    yield from map(acts.DeleteUser, trial.delete)
    yield from trial.create
    for one in trial.switch:
        functions = None if one.functions is None else frozenset(one.functions)
        yield acts.SwitchFunctions(one.location, one.group, functions)
    for user, place in trial.move.items():
        yield acts.MoveUser(user, *place_named(directory, place))
