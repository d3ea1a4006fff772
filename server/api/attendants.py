"""Attendants over HTTP: their menus, as a site file has them, and the sounds that these name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from ...channels.media.workshop import MOST_BYTES
from ..site.acts import DeleteAttendant, SetAttendant
from ..site.attendants import Attendant, is_sound_name
from ..store.tokens import Token
from .changes import Changes, carry_out
from .operation import API, Routes
from .problem import ProblemError
from .sounds import SoundEntry, SpokenText, kept, told
from .wav import AUDIO, wav

if TYPE_CHECKING:
    from ..app import Pbx
    from ..store.sounds import Sound

routes = Routes()
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AttendantSound(SoundEntry):
    """A sound of an attendant; the one without a name is the announcement of its menu."""

    name: str


@routes.get(f"{API}/attendants")
async def list_attendants(pbx: "Pbx") -> tuple[Attendant, ...]:
    """List the attendants, in the order in which licences for attendants count them."""
    return pbx.site.attendants


@routes.get(f"{API}/attendants/{{name}}")
async def read_attendant(pbx: "Pbx", name: str) -> Attendant:
    """Tell of one attendant; what comes may be sent again by PUT."""
    return _attendant(pbx, name)


@routes.put(f"{API}/attendants/{{name}}")
async def set_attendant(
    pbx: "Pbx", who: Token, name: str, attendant: Attendant, dry_run: bool = False
) -> Attendant | Changes:
    """Make an attendant, or give it other menus, from the next call on; the keys are those of the site file."""
    if attendant.name != name:
        raise ProblemError.invalid(f'The field "name" does not fit: it is not "{name}", as in the path.')
    outcome = await carry_out(pbx, who, SetAttendant(attendant), dry_run=dry_run)
    return outcome if isinstance(outcome, Changes) else attendant


@routes.delete(f"{API}/attendants/{{name}}")
async def delete_attendant(pbx: "Pbx", who: Token, name: str, dry_run: bool = False) -> Changes | None:
    """Delete an attendant with its sounds; calls that it has go on."""
    outcome = await carry_out(pbx, who, DeleteAttendant(name), dry_run=dry_run)
    if isinstance(outcome, Changes):
        return outcome
    for sound in pbx.store.sounds.prompts(name):
        await pbx.store.sounds.set_prompt(name, None, sound)
    return None


@routes.put(f"{API}/attendants/{{name}}/prompt", most_bytes=MOST_BYTES)
async def set_prompt(pbx: "Pbx", who: Token, name: str, sound: bytes | SpokenText) -> SoundEntry:
    """Give an attendant the announcement of its menu: a sound or a text as for a greeting."""
    return await _set(pbx, who, name, "", sound)


@routes.get(f"{API}/attendants/{{name}}/prompt", produces=AUDIO)
async def hear_prompt(pbx: "Pbx", request: web.Request, name: str) -> web.StreamResponse:
    """Fetch the announcement that an attendant was given (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    return wav(request, pbx.store.sounds.path(_sound(pbx, name, "")))


@routes.delete(f"{API}/attendants/{{name}}/prompt")
async def delete_prompt(pbx: "Pbx", who: Token, name: str) -> None:
    """Take an attendant's announcement away; it has the server's own again."""
    await _delete(pbx, who, name, "")


@routes.get(f"{API}/attendants/{{name}}/sounds")
async def list_sounds(pbx: "Pbx", name: str) -> tuple[AttendantSound, ...]:
    """List the sounds that an attendant was given."""
    _attendant(pbx, name)
    sounds = sorted(pbx.store.sounds.prompts(name).items())
    return tuple(AttendantSound(one.duration_s, one.text, one.language, key) for key, one in sounds)


@routes.put(f"{API}/attendants/{{name}}/sounds/{{sound_name}}", most_bytes=MOST_BYTES)
async def set_sound(
    pbx: "Pbx", who: Token, name: str, sound_name: str, sound: bytes | SpokenText
) -> SoundEntry:
    """Give an attendant a sound that its menus and greetings may `say` by this name, before one of the server."""
    if not is_sound_name(sound_name):
        raise ProblemError.invalid(
            "The name of the sound does not fit: use letters, digits, _ and -, at most 64."
        )
    return await _set(pbx, who, name, sound_name, sound)


@routes.get(f"{API}/attendants/{{name}}/sounds/{{sound_name}}", produces=AUDIO)
async def hear_sound(pbx: "Pbx", request: web.Request, name: str, sound_name: str) -> web.StreamResponse:
    """Fetch a sound of an attendant (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    return wav(request, pbx.store.sounds.path(_sound(pbx, name, sound_name)))


@routes.delete(f"{API}/attendants/{{name}}/sounds/{{sound_name}}")
async def delete_sound(pbx: "Pbx", who: Token, name: str, sound_name: str) -> None:
    """Take a sound of an attendant away; what names it says the server's own of that name, or nothing."""
    await _delete(pbx, who, name, sound_name)


async def _set(pbx: "Pbx", who: Token, name: str, key: str, sound: bytes | SpokenText) -> SoundEntry:
    _attendant(pbx, name)
    async with kept(pbx, sound) as given:
        await pbx.store.sounds.set_prompt(name, given, key)
    log.info("attendant.prompt_changed", attendant=name, sound=key, by=who.name)
    return told(given)


async def _delete(pbx: "Pbx", who: Token, name: str, key: str) -> None:
    _sound(pbx, name, key)
    await pbx.store.sounds.set_prompt(name, None, key)
    log.info("attendant.prompt_changed", attendant=name, sound=key, by=who.name)


def _attendant(pbx: "Pbx", name: str) -> Attendant:
    found = next((one for one in pbx.site.attendants if one.name == name), None)
    if found is None:
        raise ProblemError.not_found(f'There is no attendant "{name}".')
    return found


def _sound(pbx: "Pbx", name: str, key: str) -> "Sound":
    _attendant(pbx, name)
    found = pbx.store.sounds.prompt(name, key)
    if found is None and key:
        raise ProblemError.not_found(f'"{name}" has no sound "{key}"; PUT gives one.')
    if found is None:
        raise ProblemError.not_found(f'"{name}" has the announcement of the server; PUT gives another.')
    return found
