"""Whom a user waits for to be free, as he has asked by a code; he and his administrators see it and take it away."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError
from .rights import EVERYBODY, user_named

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class CallBackEntry:
    """`called` is the user who was busy at `number`; it is waited for `seconds` more at most."""

    called: str
    number: str
    seconds: float


@routes.get(f"{API}/users/{{name}}/call_back", may=EVERYBODY)
async def read_call_back(pbx: "Pbx", who: Token, name: str) -> CallBackEntry:
    """Tell whom a user waits for; 404 for nobody."""
    user_named(who, pbx.administration.directory, name)
    wish = pbx.switch.call_backs.wishes.of(name)
    if wish is None:
        raise _nobody(name)
    return CallBackEntry(wish.called, wish.number, max(wish.until_s - pbx.switch.clock.now(), 0.0))


@routes.delete(f"{API}/users/{{name}}/call_back", may=EVERYBODY)
async def cancel_call_back(pbx: "Pbx", who: Token, name: str) -> None:
    """Let a user wait for nobody any more."""
    user_named(who, pbx.administration.directory, name)
    if not pbx.switch.call_backs.cancel(name):
        raise _nobody(name)


def _nobody(name: str) -> ProblemError:
    return ProblemError.not_found(f'"{name}" waits for nobody to be free.')
