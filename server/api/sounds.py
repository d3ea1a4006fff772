"""The greeting of a box over HTTP: uploaded, spoken from a text, heard, taken away.

A user may do it for his own box with a client that may read it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from aiohttp import web
from pydantic import Field

from ...channels.media.workshop import MOST_BYTES, SoundError
from ...features.voicemail.settings import OWN_GREETING, VOICEMAIL
from ...licensing.refusal import Refusal
from ..site.acts import SetSetting
from ..store.sounds import Sound, greeting
from ..store.tokens import Token
from .operation import API, STRICT, Routes
from .problem import ProblemError
from .rights import EVERYBODY, user_named, within
from .voicemails import require_licence
from .wav import AUDIO, wav

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text to be spoken; it takes the `tts` extra."""

    __pydantic_config__: ClassVar = STRICT
    text: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\w")]
    language: Literal["de", "en"] = "en"


@dataclass(frozen=True, slots=True)
class SoundEntry:
    """A sound that is used from the next call on; `text` and `language` where it was spoken from a text."""

    duration_s: float
    text: str | None
    language: str | None


@routes.put(f"{API}/users/{{name}}/greeting", may=EVERYBODY, most_bytes=MOST_BYTES)
async def set_greeting(pbx: "Pbx", who: Token, name: str, sound: bytes | SpokenText) -> SoundEntry:
    """Give a box a greeting: WAV, MP3, FLAC or Ogg of up to 120 s and 10 MB, or a text as JSON."""
    _user(pbx, who, name)
    async with kept(pbx, sound) as given:
        await _set(pbx, who, name, asdict(given))
    return told(given)


@routes.get(f"{API}/users/{{name}}/greeting", may=EVERYBODY, produces=AUDIO)
async def hear_greeting(pbx: "Pbx", who: Token, request: web.Request, name: str) -> web.StreamResponse:
    """Fetch the greeting of a box (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    _user(pbx, who, name)
    return wav(request, pbx.store.sounds.path(_greeting(pbx, name)))


@routes.delete(f"{API}/users/{{name}}/greeting", may=EVERYBODY)
async def delete_greeting(pbx: "Pbx", who: Token, name: str) -> None:
    """Take a greeting away; the box has the server's own again."""
    _user(pbx, who, name)
    _greeting(pbx, name)
    await _set(pbx, who, name, None)


@asynccontextmanager
async def kept(pbx: "Pbx", given: bytes | SpokenText) -> AsyncIterator[Sound]:
    """The sound in the store, for as long as it takes to name whose it is; where that fails, it goes again."""
    path = pbx.switch.new_recording_path()
    try:
        if isinstance(given, bytes):
            sound = await pbx.store.sounds.keep(path, await pbx.workshop.read(given, path))
        else:
            duration_s = await pbx.workshop.speak(given.text, given.language, path)
            sound = await pbx.store.sounds.keep(path, duration_s, given.text, given.language)
    except SoundError as error:
        raise ProblemError(Refusal(error.reason)) from error
    try:
        yield sound
    except BaseException:
        pbx.store.sounds.remove([sound.file])
        raise


async def _set(pbx: "Pbx", who: Token, name: str, value: dict[str, object] | None) -> None:
    act = SetSetting(name, VOICEMAIL, OWN_GREETING.key, value)
    await pbx.administration.apply(act, actor=who.name, within=within(who, name))


def told(sound: Sound) -> SoundEntry:
    """What the API says of a sound."""
    return SoundEntry(sound.duration_s, sound.text, sound.language)


def _user(pbx: "Pbx", who: Token, name: str) -> None:
    user_named(who, pbx.administration.directory, name)
    require_licence(pbx, who, name)


def _greeting(pbx: "Pbx", name: str) -> Sound:
    user = pbx.administration.directory.by_name(name)
    found = None if user is None else greeting(user)
    if found is None:
        raise ProblemError.not_found(f'"{name}" has the greeting of the server; PUT gives another.')
    return found
