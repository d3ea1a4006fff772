"""The greetings of a box that have names, for its rules to choose from: listed, given, heard, taken away.

A user may do it for his own box with a client that may read it, as with the greeting that has no name (`sounds`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from ...channels.media.workshop import MOST_BYTES
from ..store.sounds import Sound
from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError
from .rights import EVERYBODY, user_named, within
from .sounds import SoundEntry, SpokenText, kept, told
from .voicemails import require_licence
from .wav import AUDIO, wav

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class GreetingEntry(SoundEntry):
    """A greeting with the name by which rules choose it."""

    name: str


@routes.get(f"{API}/users/{{name}}/greetings", may=EVERYBODY)
async def list_greetings(pbx: "Pbx", who: Token, name: str) -> tuple[GreetingEntry, ...]:
    """List the greetings of a box that have names."""
    _require(pbx, who, name)
    found = sorted(pbx.greetings.of(name).items())
    return tuple(GreetingEntry(one.duration_s, one.text, one.language, key) for key, one in found)


@routes.put(f"{API}/users/{{name}}/greetings/{{greeting}}", may=EVERYBODY, most_bytes=MOST_BYTES)
async def set_named_greeting(
    pbx: "Pbx", who: Token, name: str, greeting: str, sound: bytes | SpokenText
) -> SoundEntry:
    """Give a box a greeting of that name: a sound or a text as for the one without a name."""
    _require(pbx, who, name)
    async with kept(pbx, sound) as one:
        await pbx.greetings.set(name, greeting, one, actor=who.name, within=_reach(who))
    return told(one)


@routes.get(f"{API}/users/{{name}}/greetings/{{greeting}}", may=EVERYBODY, produces=AUDIO)
async def hear_named_greeting(
    pbx: "Pbx", who: Token, request: web.Request, name: str, greeting: str
) -> web.StreamResponse:
    """Fetch a greeting by its name (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    _require(pbx, who, name)
    return wav(request, pbx.store.sounds.path(_greeting(pbx, name, greeting)))


@routes.delete(f"{API}/users/{{name}}/greetings/{{greeting}}", may=EVERYBODY)
async def delete_named_greeting(pbx: "Pbx", who: Token, name: str, greeting: str) -> None:
    """Take a greeting away; where a rule names it, the box's own stands in."""
    _require(pbx, who, name)
    _greeting(pbx, name, greeting)
    await pbx.greetings.set(name, greeting, None, actor=who.name, within=_reach(who))


def _require(pbx: "Pbx", who: Token, name: str) -> None:
    user_named(who, pbx.administration.directory, name)
    require_licence(pbx, who, name)


def _reach(who: Token) -> frozenset[str] | None:
    return None if who.kind == "user" else within(who)


def _greeting(pbx: "Pbx", name: str, greeting: str) -> Sound:
    found = pbx.greetings.of(name).get(greeting)
    if found is None:
        raise ProblemError.not_found(f'The box of "{name}" has no greeting "{greeting}".')
    return found
