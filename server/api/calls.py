"""Live calls over HTTP: who talks, test calls, and hanging up.

An administrator's calls need no licence. A user has his own, and needs `cti` for it (Office).
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ...licensing.refusal import Refusal
from ..store.tokens import Token
from .operation import API, STRICT, Routes
from .problem import ProblemError
from .rights import EVERYBODY, sees, sees_name
from .verdict_entry import VerdictEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...channels.media.verdict import Verdict
    from ..app import Pbx
    from ..switch.call import Call

routes = Routes()

Dialled = Annotated[str, Field(pattern=r"^[0-9A-Za-z*#+._-]{1,64}$")]


@dataclass(frozen=True, slots=True)
class ConnectionEntry:
    """One device's part in a call; `state` is ECMA-269's. `verdict` tells of its audio, where one call is asked for."""

    leg: str
    device: str
    state: str
    incoming: bool
    verdict: VerdictEntry | None


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A live call, with the numbers as signalled; `started_at` is UTC."""

    id: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    user: str | None
    trunk: str | None
    started_at: datetime
    answered: bool
    connections: tuple[ConnectionEntry, ...]


@dataclass(frozen=True, slots=True)
class NewCall:
    """A test call: the phone of `from`, a user's name or extension, is rung first, then `to` is dialled."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    from_: Annotated[str, Field(alias="from")]
    to: Dialled


@dataclass(frozen=True, slots=True)
class OtherCall:
    """`with` is the id of another live call of the same user."""

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    with_: Annotated[str, Field(alias="with")]


@dataclass(frozen=True, slots=True)
class Device:
    """`to` is the telephone that is to have the call: an extension, a name, a name with `+mobile`, or a number outside.

    A number outside is one of the user's profile (setting `one_number.profile`).
    """

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    to: Dialled


@routes.get(f"{API}/calls", may=EVERYBODY)
async def list_calls(pbx: "Pbx", who: Token) -> tuple[CallEntry, ...]:
    """List the live calls; a sub-administrator sees those in which a user of his takes part, a user his own."""
    _require_cti(pbx, who)
    return tuple(_entry(pbx, call) for call in pbx.switch.calls.values() if sees_call(pbx, who, call))


@routes.post(f"{API}/calls", may=EVERYBODY, status=HTTPStatus.CREATED)
async def place_call(pbx: "Pbx", who: Token, new: NewCall) -> CallEntry:
    """Make a test call; a user makes one of his own."""
    _require_cti(pbx, who)
    directory = pbx.administration.directory
    user = directory.by_name(new.from_) or directory.by_extension(new.from_)
    if user is None or not sees(who, user):
        raise ProblemError.invalid(f'The field "from" does not fit: no user or extension is "{new.from_}".')
    if pbx.is_stopping:
        raise ProblemError(Refusal("server.stopping"))
    call = pbx.switch.place(user.name, new.to)
    if isinstance(call, Refusal):
        raise ProblemError.of(
            pbx.decisions.mint(call, f"test call of {user.name} to {new.to}", user=user.name)
        )
    return _entry(pbx, call)


@routes.get(f"{API}/calls/{{id}}", may=EVERYBODY)
async def read_call(pbx: "Pbx", who: Token, id: str) -> CallEntry:  # noqa: A002 - the name in the path
    """Tell of one live call."""
    call = call_of(pbx, who, id)
    connections = list(call.connections)
    verdicts = await asyncio.gather(*(one.measured() for one in connections))
    told = {one.leg_id: verdict for one, verdict in zip(connections, verdicts, strict=True) if verdict}
    return _entry(pbx, call, told)


@routes.delete(f"{API}/calls/{{id}}", may=EVERYBODY)
async def hang_up_call(pbx: "Pbx", who: Token, id: str) -> None:  # noqa: A002 - as above
    """End a call for everybody in it."""
    call_of(pbx, who, id).hang_up()


@routes.post(f"{API}/calls/{{id}}/conference", may=EVERYBODY)
async def join_calls(pbx: "Pbx", who: Token, id: str, other: OtherCall) -> CallEntry:  # noqa: A002 - as above
    """Join two calls of one user, one of them held: all in them talk with one another, in the call that is returned."""
    calls = call_of(pbx, who, id), call_of(pbx, who, other.with_)
    joined = pbx.switch.conferences.join_calls(*calls)
    if isinstance(joined, Refusal):
        what = f"conference of {calls[0].id} with {calls[1].id}"
        raise ProblemError.of(pbx.decisions.mint(joined, what, call_id=calls[0].id))
    return _entry(pbx, joined)


@routes.post(f"{API}/calls/{{id}}/pull", may=EVERYBODY)
async def pull_call(pbx: "Pbx", who: Token, id: str, device: Device) -> CallEntry:  # noqa: A002 - as above
    """Ring another telephone of a user who talks in the call, up to 30 seconds; his call goes on there."""
    call = call_of(pbx, who, id)
    refusal = await pbx.switch.pulls.fetch(call, device.to)
    if refusal is not None:
        raise ProblemError.of(pbx.decisions.mint(refusal, f"pull of {id} to {device.to}", call_id=id))
    return _entry(pbx, call)


def sees_call(pbx: "Pbx", who: Token, call: "Call") -> bool:
    """Whether a user in whom the token may look takes part in the call."""
    directory = pbx.administration.directory
    accounts = [one.device for one in call.connections]
    users = [directory.user_of(account) for account in accounts]
    names = [call.caller.user, *(user.name for user in users if user is not None)]
    return any(sees_name(who, directory, name) for name in names)


def call_of(pbx: "Pbx", who: Token, id_: str) -> "Call":
    """Return the live call of that id, if the token may see it; raises `ProblemError`."""
    _require_cti(pbx, who)
    call = pbx.switch.calls.get(id_)
    if call is None or not sees_call(pbx, who, call):
        raise ProblemError.not_found(f'There is no live call "{id_}".')
    return call


def _require_cti(pbx: "Pbx", who: Token) -> None:
    """Raise `ProblemError` unless a user may control his calls by an application."""
    answer = None if who.user is None else pbx.administration.gate.may(who.user, "cti")
    if isinstance(answer, Refusal):
        raise ProblemError.of(pbx.decisions.mint(answer, f"call control by {who.user}", user=who.user))


def _entry(pbx: "Pbx", call: "Call", verdicts: "Mapping[str, Verdict] | None" = None) -> CallEntry:
    told = {leg: VerdictEntry.of(one.told()) for leg, one in (verdicts or {}).items()}
    return CallEntry(
        call.id,
        call.caller.number,
        call.called,
        call.caller.user,
        call.caller.trunk,
        pbx.clock.at(call.started_at_s),
        call.is_answered,
        tuple(
            ConnectionEntry(one.leg_id, one.device, one.state, one.incoming, told.get(one.leg_id))
            for one in call.connections
        ),
    )
