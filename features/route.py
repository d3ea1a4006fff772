"""What a call leads to: the values that policies return and the switch carries out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..channels.session import Session

if TYPE_CHECKING:
    from ..licensing.refusal import Refusal

Behaviour = Callable[[Session], Coroutine[Any, Any, None]]


class Occupies(Enum):
    """The pools of which a leg occupies a channel, from before its first 18x to its end (L-71)."""

    NOTHING = frozenset[str]()  # not an empty tuple, which Python 3.11.2 (Debian 12) makes an object() of
    IP_CHANNEL = frozenset({"ip_channel"})
    ATTENDANT = frozenset({"auto_attendant", "ip_channel"})


@dataclass(frozen=True, slots=True)
class Overflow:
    """Where calls go for which no channel is free: to `number`, or without one they find it busy."""

    number: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Ringfence itself takes the call: `behaviour` talks to the caller; `overflow` says what if no channel is free."""

    behaviour: Behaviour
    occupies: Occupies = Occupies.NOTHING
    overflow: Overflow | None = None


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Where calls for a user go that his devices do not take, or `always`, as numbers to dial; None: nowhere.

    With `do_not_disturb` he is busy for everybody, without `call_waiting` while he has another call.
    """

    busy: str | None = None
    no_answer: str | None = None
    not_registered: str | None = None
    after_s: float = 20.0
    always: str | None = None
    do_not_disturb: bool = False
    call_waiting: bool = True


@dataclass(frozen=True, slots=True)
class Leave:
    """The call goes out by a trunk to `number`."""

    trunk: str
    number: str


@dataclass(frozen=True, slots=True)
class Also:
    """What rings beside the first devices of a user, `after_s` seconds after them: an account, or a number outside.

    An account with `wake_s` is woken, and waited for so many seconds. Where `confirm` is a digit, whoever answers has
    the call only once he has pressed it.
    """

    target: str | Leave
    after_s: float = 0.0
    wake_s: float | None = None
    confirm: str | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """A user's devices ring: `accounts` are the SIP accounts whose contacts are rung together, before `also`."""

    user: str
    accounts: tuple[str, ...]
    forwarding: Forwarding = Forwarding()
    also: tuple[Also, ...] = ()

    @property
    def registered(self) -> tuple[str, ...]:
        """All accounts that ring and need not be woken, whenever it is their turn."""
        late = (one.target for one in self.also if one.wake_s is None)
        return (*self.accounts, *(one for one in late if isinstance(one, str)))


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call is refused by a rule."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Final:
    """The call gets just this SIP status, as a test number asked for it."""

    status: int


Route = Answer | Ring | Leave | Refuse | Final
