"""The scenes. Each is a coroutine that reads like a script and tells what happened; `ACTS` is the programme.

A scene judges by what the telephones sent, got and heard, and by the channels that the server says are occupied.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...channels.media.plane import Tone
from ...features.voicemail.settings import BEEP
from ..phones.refused import Refused
from ..site.acts import MoveUser
from ..switch.events import MessageLeft, MessageRead
from .cast import SHORT_OF_PLUS
from .company import SceneError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ...channels.media.audio import Audio
    from ...channels.media.verdict import Verdict
    from ..phones.call import PhoneCall
    from ..site.site import User
    from .company import Company

CALLER_HZ, CALLED_HZ, MESSAGE_HZ = 440, 660, 500
TALK_S, MESSAGE_S = 1.0, 2.0
MOST_OF = 0.75
"""The share of a tone that must be found, and of the packets that must arrive: a busy machine may lose the edges."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened in a scene, whether that was expected, and the refusal that it is about."""

    text: str
    as_expected: bool
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene of the programme, with what is expected of it."""

    title: str
    expected: str
    play: Callable[[Company], Awaitable[Happened]]


async def softphone_call(company: Company) -> Happened:
    """One licensed softphone calls another, and both talk."""
    cast = company.cast
    caller, called = await company.softphone(cast.caller), await company.softphone(cast.called)
    call = await caller.dial(cast.called.name)
    taken = await called.answer()
    await call.answered()
    await asyncio.gather(call.play(Tone((CALLER_HZ,), TALK_S)), taken.play(Tone((CALLED_HZ,), TALK_S)))
    there_s = _seconds_of(CALLER_HZ, await taken.heard())
    back_s = _seconds_of(CALLED_HZ, await call.heard())
    await call.hang_up()
    await taken.ended()
    text = (
        f"{_told(cast.caller, call.verdict)}; {_told(cast.called, taken.verdict)}; {cast.called.name} heard "
        f"{there_s:.1f} s of {CALLER_HZ} Hz, {cast.caller.name} {back_s:.1f} s of {CALLED_HZ} Hz"
    )
    arrived = _arrived(call.verdict, taken.verdict) and _arrived(taken.verdict, call.verdict)
    return Happened(text, arrived and min(there_s, back_s) >= MOST_OF * TALK_S)


async def refused_softphone(company: Company) -> Happened:
    """A user who waits for Office Plus tries to register a softphone."""
    user = company.cast.refused
    phone = await company.softphone(user, register=False)
    refused = Refused.of(await phone.register())
    as_expected = (refused.status, refused.reason) == (403, SHORT_OF_PLUS) and refused.decision is not None
    return Happened(f"{user.name} may not register", as_expected, refused)


async def voicemail(company: Company) -> Happened:
    """Somebody outside leaves a message after the beep; the owner listens to it with his PIN, and to nothing else."""
    owner, site = company.cast.box_owner, company.pbx.site
    call = await company.call_box(await company.outside())
    await call.hear_tone(BEEP.frequencies_hz[0])
    await call.play(Tone((MESSAGE_HZ,), MESSAGE_S))
    await call.hang_up()
    await company.until(lambda: company.message_was(MessageLeft, owner))
    desk = await company.desk_phone(owner)
    listening = await desk.dial(site.voicemail.extension or "")
    await listening.send_digits(f"{owner.voicemail_pin}###")  # goes on to the sound
    await company.until(lambda: company.message_was(MessageRead, owner))
    await listening.hang_up()
    heard_s = _seconds_of(MESSAGE_HZ, await listening.heard())
    message = (await company.pbx.boxes.list(owner.name))[-1]
    text = (
        f"{message.duration_s:.1f} s left for {owner.name}; at {site.voicemail.extension} with the PIN "
        f"{heard_s:.1f} s of {MESSAGE_HZ} Hz were heard"
    )
    return Happened(text, message.read and min(heard_s, message.duration_s) >= MOST_OF * MESSAGE_S)


async def attendant(company: Company) -> Happened:
    """Somebody outside chooses a digit in the menu and is connected."""
    cast = company.cast
    desk, caller = await company.desk_phone(cast.reached), await company.outside()
    call = await caller.dial(company.number_from_outside(cast.attendant.extension))
    await call.answered()
    in_menu = company.channels_of(caller)
    await call.send_digits(cast.digit)
    taken = await desk.answer()
    await company.until(lambda: not company.channels_of(caller))
    await call.play(Tone((CALLER_HZ,), TALK_S))
    heard_s = _seconds_of(CALLER_HZ, await taken.heard())
    await call.hang_up()
    await taken.ended()
    text = (
        f"digit {cast.digit} rang {cast.reached.name}, who heard {heard_s:.1f} s of {CALLER_HZ} Hz; "
        f"occupied in the menu: {' and '.join(in_menu)}, after the answer: nothing"
    )
    return Happened(text, set(in_menu) == {"ip_channel", "auto_attendant"} and heard_s >= MOST_OF * TALK_S)


async def one_caller_too_many(company: Company) -> Happened:
    """As many callers as there are channels leave messages, and one more calls."""
    async with company.every_channel_taken() as calls:
        refused = _refusal(await company.call_box(await company.outside()))
    as_expected = (refused.status, refused.cause, refused.reason) == (503, 34, "ip_channel.exhausted")
    text = f"{len(calls)} callers answered on {len(calls)} channels, caller {len(calls) + 1} refused"
    return Happened(text, as_expected and refused.decision is not None, refused)


async def channel_taken_again(company: Company) -> Happened:
    """A caller is refused, another one hangs up, and the refused one is answered at the second try."""
    pool, caller = company.pbx.pools.ip_channel, await company.outside()
    async with company.every_channel_taken() as calls:
        refused = _refusal(await company.call_box(caller))
        await calls[0].hang_up()
        await company.until(lambda: not pool.is_full)
        freed = pool.used
        again = await company.call_box(caller)
        calls.append(again)
        await again.answered()
        taken = pool.used
    text = (
        f"{freed} of {pool.limit} in use after a hang-up, {taken} after the next call; "
        f"never more than {pool.high_water}"
    )
    as_expected = (freed, taken, pool.high_water) == (pool.limit - 1, pool.limit, pool.limit)
    return Happened(text, as_expected and refused.status == 503, refused)


async def user_moved(company: Company) -> Happened:
    """The next in the order waits for Office Plus; a holder is moved to where it is not needed."""
    move = company.cast.move
    waiting = await company.softphone(move.waiting, register=False)
    refused = Refused.of(await waiting.register())
    mover = await company.softphone(move.user)
    await company.pbx.administration.apply(MoveUser(move.user.name, move.location, move.group))
    served = Refused.of(await waiting.register())
    unserved = Refused.of(await mover.register())
    place = f"{move.location}/{move.group}" if move.group is not None else move.location
    text = (
        f"{move.waiting.name} refused, {move.user.name} moved to {place}, then {move.waiting.name} "
        f"{served.status} and {move.user.name} {unserved.status} {unserved.reason or ''}"
    )
    statuses = (refused.status, served.status, unserved.status)
    return Happened(text, statuses == (403, 200, 403) and refused.reason == SHORT_OF_PLUS, refused)


ACTS = (
    (
        Scene(
            "Softphone call", "each side hears the tone of the other, and the packets arrive", softphone_call
        ),
        Scene("Softphone without a licence", f"REGISTER 403, {SHORT_OF_PLUS}", refused_softphone),
        Scene("Voicemail left and heard", "the tone that was left is heard again", voicemail),
        Scene(
            "Menu digit that transfers",
            "the target hears the caller; both channels given up when it answers",
            attendant,
        ),
    ),
    (
        Scene(
            "One caller too many",
            "a caller on each channel, the next 503, cause 34, ip_channel.exhausted",
            one_caller_too_many,
        ),
    ),
    (
        Scene(
            "Channel freed, taken again",
            "refused while all are in use, answered once a caller has hung up",
            channel_taken_again,
        ),
    ),
    (
        Scene(
            "User moved, waiting one served",
            "403 before the move, 200 after it; the moved user is refused",
            user_moved,
        ),
    ),
)
"""Act after act; the scenes of one act are played at once."""


def _seconds_of(frequency_hz: int, audio: Audio) -> float:
    """Return for how many seconds, in tenths, nothing but a tone is heard."""
    tenths = range(int(audio.duration_s * 10))
    return sum(audio.between(at / 10, (at + 1) / 10).contains_tone(frequency_hz, 0.9) for at in tenths) / 10


def _arrived(sender: Verdict, receiver: Verdict) -> bool:
    return 0 < MOST_OF * sender.packets_sent <= receiver.packets_received


def _told(user: User, verdict: Verdict) -> str:
    return f"{user.name} sent {verdict.packets_sent} packets and got {verdict.packets_received}"


def _refusal(call: PhoneCall) -> Refused:
    if call.refused is None:
        raise SceneError("the call was not refused")
    return call.refused
