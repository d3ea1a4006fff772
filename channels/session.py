"""The verbs of a call, as a behaviour sees them.

A behaviour is a coroutine over a `Session`; it reads like a dial plan and knows no SIP. The one implementation lives in
`server.switch.session`. Every verb that waits raises `Ended` once the leg is gone, whatever ended it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ..licensing.refusal import Refusal
    from .media.plane import Playable
    from .speech.spoken import Spoken


class Ended(Exception):  # noqa: N818 - not an error: the caller hung up, which is how most calls end
    """The leg is gone. `cause` is its Q.850 cause (16 = normal clearing)."""

    def __init__(self, cause: int) -> None:
        super().__init__(f"the call has ended (Q.850 cause {cause})")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Party:
    """Who calls: the number as signalled, a display name if any, and the user whose account was authenticated.

    `extension` tells whether it was the user's desk phone (True) or softphone (False); `trunk` is the name of the trunk
    that an outside call came by, else None; with a `user` it is a number outside that rings for him. `private` callers
    are not shown to whom they call.
    """

    number: str
    name: str = ""
    user: str | None = None
    extension: bool = False
    trunk: str | None = None
    private: bool = False

    @property
    def shown(self) -> str:
        """The number that may be told to whoever is called."""
        return "anonymous" if self.private else self.number


@dataclass(frozen=True, slots=True)
class Recording:
    """What `record` heard: a WAV file (mono, 16 bit, 8 kHz) and its length in seconds."""

    path: Path
    duration_s: float


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """The target did not take the call; the caller is back with the behaviour."""

    refusal: Refusal


class Session(Protocol):
    """One answered, or about to be answered, call leg."""

    @property
    def call_id(self) -> str:
        """Ringfence's own id of the call, as in `GET /api/v1/calls`."""
        ...

    @property
    def caller(self) -> Party:
        """Who calls."""
        ...

    @property
    def called(self) -> str:
        """The number dialled, as signalled."""
        ...

    async def ring(self) -> None:
        """Tell the caller that it rings (180)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass on the server's clock."""
        ...

    async def answer(self, *, echo: bool = False, inactive: bool = False) -> None:
        """Take the call; returns when the caller has confirmed it (ACK).

        With `echo` each packet is returned and nothing else is sent; with `inactive` no stream is taken at all.
        """
        ...

    async def announce(self, *playables: Playable | Spoken) -> None:
        """Play to the end before the call is answered (RFC 3960); who cannot hear it yet is told that it rings."""
        ...

    async def play(self, *playables: Playable | Spoken) -> None:
        """Play to the end; a prompt without a language, and what is `Spoken`, in the language of the session."""
        ...

    async def collect(
        self, count: int, *playables: Playable | Spoken, timeout_s: float = 5.0, terminator: str = "#"
    ) -> str:
        """Play, and gather up to `count` digits; the first digit cuts the announcement short.

        Returns after `count` digits, at `terminator` (not part of the result), or `timeout_s` seconds after the
        announcement or the last digit; what was gathered so far, possibly nothing.
        """
        ...

    def speak(self, language: str) -> None:
        """Speak that language from now on, or English where there are no prompts in it."""
        ...

    def patience(self, seconds: float | None) -> None:
        """End the leg when no digit comes for so long, from now on; None: wait for ever.

        While the caller speaks (`record`), or somebody is rung for him (`transfer`), no time counts.
        """
        ...

    async def record(self, *, max_s: float, terminator: str = "#") -> Recording:
        """Record the caller until `terminator`, `max_s`, or the end of the leg.

        When the leg ends it still returns what was heard; the next verb raises `Ended`.
        """
        ...

    async def transfer(
        self, number: str, *, hairpin: bool = False, party: Party | None = None, outside: bool = False
    ) -> TransferFailed:
        """Connect the caller with `number`; returns only when that failed. `party` calls in his place.

        When the target answers, this behaviour is over: the verb raises `Ended` with cause 16 in it, and the leg gives
        up its leases. With `hairpin` it keeps them, and the target's leg occupies an IP channel of its own (L-72). With
        `outside` the site chose the number, not the caller: even one from a trunk may leave by a trunk.
        """
        ...

    async def hang_up(self, refusal: Refusal | None = None) -> None:
        """End the leg: BYE when answered, else the refusal's final response."""
        ...
