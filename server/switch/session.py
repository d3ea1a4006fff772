"""The one `Session`: gives the verbs of `channels.session` to a behaviour, on a connection of the switch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn, assert_never

from ...channels.media.plane import DigitHeard, Played, Recorded, StreamClosed, StreamLost
from ...channels.media.prompts import LANGUAGES
from ...channels.session import Ended, Party, Recording, TransferFailed
from ...features.route import Final
from ...licensing.refusal import Refusal
from .bridge import Bridge
from .connection import NORMAL
from .dialler import Errand, Reached
from .events import DigitPressed
from .pressed_keys import PressedKeys
from .ringing import NotTaken, Taken

if TYPE_CHECKING:
    from ...channels.media.plane import MediaEvent, Playable
    from ...channels.speech.spoken import Spoken
    from ..sip.message import Response
    from .connection import Connection
    from .dialler import Found
    from .switch import Switch

MOST_HANDOVERS = 30
"""So often a call goes from one box or attendant to the next; what leads in circles by itself ends there."""


class SwitchSession:
    """See `channels.session.Session`. One verb runs at a time; what it waits for is `_waiting`.

    While the caller holds, all waits; see docs/decisions/0037-held-features.md.
    """

    def __init__(self, switch: Switch, connection: Connection, caller: Party) -> None:
        self._switch = switch
        self._caller = caller
        self._connection = connection
        self._waiting: asyncio.Future[Any] | None = None
        self._wants_digit = False
        self._timeout_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._digits: list[str] = []
        self._keys = PressedKeys()
        self._token = 0
        self._patience_s: float | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._resting = False
        self._held = connection.negotiation.holds
        self._language: str | None = None
        self._ended: int | None = None
        self._recorded: Recorded | None = None
        self._stream_closed = False
        connection.listener = self

    @property
    def call_id(self) -> str:
        """The call's id."""
        return self._connection.call.id

    @property
    def caller(self) -> Party:
        """Who calls."""
        return self._caller

    @property
    def called(self) -> str:
        """The number dialled."""
        return self._connection.call.called

    # -- verbs -------------------------------------------------------------------------------------------------

    async def ring(self) -> None:
        """180."""
        self._check()
        if not await self._connection.alerting.prepare():
            self._raise_ended()
        self._connection.alerting.ring()

    async def sleep(self, seconds: float) -> None:
        """Let time pass, or end with the leg."""
        now = asyncio.get_running_loop().time
        until_s = now() + seconds
        while (left_s := until_s - now()) > 0:
            await self._wait(left_s)

    async def answer(self, *, echo: bool = False, inactive: bool = False) -> None:
        """200, and wait for the ACK; nothing to do on a leg that is answered already."""
        self._check()
        connection, with_prompts = self._connection, not echo and not inactive
        was_answered = connection.is_answered
        if not await connection.answer(fill=with_prompts, echo=echo, inactive=inactive):
            self._raise_ended()
        if not was_answered:
            await self._wait()
        connection.watch()

    def speak(self, language: str) -> None:
        """Speak another language than the site's."""
        self._language = language if language in LANGUAGES else "en"

    def patience(self, seconds: float | None) -> None:
        """Count the time without a digit from now on."""
        self._patience_s = seconds
        self._rest()

    async def announce(self, *playables: Playable | Spoken) -> None:
        """Play in a 183's early media; on a leg that is answered already, just play."""
        self._check()
        if not self._connection.is_answered and not await self._connection.alerting.speak():
            self._check()
            self._connection.alerting.ring()
            return
        await self.play(*playables)

    async def play(self, *playables: Playable | Spoken) -> None:
        """Play to the end."""
        self._check()
        if self._connection.stream is not None:
            self._token = self._connection.stream.play(self._switch.in_words(playables, self._language))
            await self._wait()
            self._digits.clear()  # nobody was asked for them

    async def collect(
        self, count: int, *playables: Playable | Spoken, timeout_s: float = 5.0, terminator: str = "#"
    ) -> str:
        """Play and gather digits."""
        self._check()
        stream, gathered = self._connection.stream, ""
        if playables and stream is not None and not self._digits:
            self._token = stream.play(self._switch.in_words(playables, self._language))
            await self._wait(until_digit=True)
            if self._digits:
                stream.stop_playing()
        while len(gathered) < count:
            if not self._digits:
                await self._wait(timeout_s, until_digit=True)
            if not self._digits:
                break
            digit = self._digits.pop(0)
            if digit == terminator:
                break
            gathered += digit
        return gathered

    async def record(self, *, max_s: float, terminator: str = "#") -> Recording:
        """Record until a digit, the time, or the end of the leg."""
        self._check()
        stream = self._connection.stream
        if stream is None:
            self._raise_ended()
        self._busy()
        self._recorded = None
        self._digits.clear()
        stream.record(self._switch.new_recording_path(), max_s)
        while self._recorded is None:
            try:
                await self._wait(until_digit=True)
            except Ended:
                await self._wait_for_recording()
                break
            if self._digits and self._digits.pop(0) == terminator:
                stream.stop_recording()
        self._rest()
        if self._recorded is None:
            self._raise_ended()
        return Recording(self._recorded.path, self._recorded.duration_s)

    async def transfer(
        self, number: str, *, hairpin: bool = False, party: Party | None = None, outside: bool = False
    ) -> TransferFailed:
        """Connect the caller with `number`, or return why not."""
        self._check()
        self._busy()
        failed = await self._transfer(number, Errand(party or self._caller, hairpin=hairpin, outside=outside))
        self._digits.clear()
        self._rest()
        return failed

    async def hang_up(self, refusal: Refusal | None = None) -> None:
        """BYE, or with a refusal whatever tells it."""
        if refusal is not None:
            self._connection.refuse(refusal)
        else:
            self._connection.hang_up()

    async def _transfer(self, number: str, errand: Errand) -> TransferFailed:
        switch, connection = self._switch, self._connection
        if connection.stream is not None:
            connection.stream.play((switch.tones.ringback,))
        found = await self._find(number, errand)
        if connection.stream is not None:
            connection.stream.stop_playing()
        match found:
            case Taken(other):
                self._leave()
                if not errand.hairpin:
                    connection.leases.release()
                Bridge(connection, other).begin()
                raise Ended(NORMAL)
            case Reached() if connection.call.handed_on >= MOST_HANDOVERS:
                return self._failed(Refusal("number.unknown"), number)
            case Reached(route):
                leases = switch.lease_missing(connection, route.occupies)
                if isinstance(leases, Refusal):
                    return self._failed(leases, number)
                connection.call.handed_on += 1
                self._leave()
                connection.leases.occupy(leases)
                connection.leases.release(keep=route.occupies.value)
                switch.run(connection, route.behaviour, errand.party)
                raise Ended(NORMAL)
            case NotTaken(refusal):
                return self._failed(refusal, number)
            case Final():
                return self._failed(Refusal("call.rejected"), number)
            case _:
                assert_never(found)

    async def _find(self, number: str, errand: Errand) -> Found:
        """Find who takes the call; when this leg ends meanwhile, whatever rings or has just answered is ended."""
        search = asyncio.ensure_future(self._switch.find(self._connection, number, errand))
        search.add_done_callback(lambda _: self._wake())
        try:
            while not search.done():
                await self._wait()
        except BaseException:
            if not search.cancel() and isinstance(found := search.result(), Taken):
                found.connection.hang_up()
            raise
        return search.result()

    def _failed(self, refusal: Refusal, number: str) -> TransferFailed:
        self._switch.decisions.mint(
            refusal, f"transfer to {number}", call_id=self.call_id, user=self.caller.user
        )
        return TransferFailed(refusal)

    # -- listening ---------------------------------------------------------------------------------------------

    def on_progress(self, connection: Connection, status: int) -> None:
        """An incoming leg has no progress of its own."""

    def on_answered(self, connection: Connection) -> None:
        """The caller's ACK came."""
        self._wake()

    def on_direction(self, connection: Connection) -> None:
        """What plays and what is recorded waits in the plane while the caller holds; the time for a digit does here."""
        if connection.negotiation.holds is self._held:
            return
        self._held = connection.negotiation.holds
        if self._resting:
            self._rest()
        if self._waiting is not None and self._wants_digit:
            self._limit_wait()

    def on_digit(self, connection: Connection, digit: str) -> None:
        """A digit by INFO."""
        self._take_digit(connection, digit, by_info=True)

    def _take_digit(self, connection: Connection, digit: str, *, by_info: bool) -> None:
        if not self._keys.is_new(digit, asyncio.get_running_loop().time(), by_info=by_info):
            return
        self._switch.stream.publish(DigitPressed(self.call_id, connection.leg_id, digit))
        self._digits.append(digit)
        if self._resting:
            self._rest()
        self._wake(digit=True)

    def on_media(self, connection: Connection, event: MediaEvent) -> None:
        """Digits, the end of an announcement or a recording, silence."""
        match event:
            case DigitHeard(digit):
                self._take_digit(connection, digit, by_info=False)
            case Played(token) if token == self._token:
                self._wake()
            case Recorded():
                self._recorded = event
                self._wake()
            case StreamClosed():
                self._stream_closed = True
                self._wake()
            case StreamLost():
                connection.refuse(Refusal("media.lost"))
            case _:
                pass

    def on_ended(self, connection: Connection, status: int, response: Response | None) -> None:
        """Whoever waits learns that it is over."""
        self._ended = connection.cause
        self._busy()
        self._wake()

    # -- waiting -----------------------------------------------------------------------------------------------

    async def _wait(self, timeout_s: float | None = None, *, until_digit: bool = False) -> None:
        """Wait for the next wake-up, at most `timeout_s`; raise `Ended` when the leg is gone."""
        self._check()
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        self._wants_digit, self._timeout_s = until_digit, timeout_s
        self._limit_wait()
        try:
            await waiting
        finally:
            self._waiting = self._timeout_s = None
            self._limit_wait()
        self._check()

    def _limit_wait(self) -> None:
        """Begin to count the time of the verb that waits; for a digit of who holds no time counts."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._timeout_s is not None and not (self._held and self._wants_digit):
            self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._wake)

    async def _wait_for_recording(self) -> None:
        """After the end of a leg its recording is still being closed."""
        while self._recorded is None and not self._stream_closed:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    def _wake(self, *, digit: bool = False) -> None:
        waiting = self._waiting
        if waiting is not None and not waiting.done() and (self._wants_digit or not digit):
            waiting.set_result(None)

    def _check(self) -> None:
        if self._ended is not None:
            raise Ended(self._ended)

    def _raise_ended(self) -> NoReturn:
        raise Ended(self._connection.cause)

    def _rest(self) -> None:
        """Begin to count the time without a digit, unless the caller holds."""
        self._busy()
        self._resting = True
        if self._ended is None and self._patience_s is not None and not self._held:
            self._idle = asyncio.get_running_loop().call_later(self._patience_s, self._connection.hang_up)

    def _busy(self) -> None:
        """Stop counting: the caller speaks, or somebody is rung for him."""
        self._resting = False
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        """Another session or a bridge takes the connection."""
        self._busy()
        if self._connection.stream is not None:
            self._connection.stream.watch(None)
        self._connection.listener = None
