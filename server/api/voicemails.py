"""Voicemail boxes over HTTP: an administrator lists, hears and deletes messages; his token is not gated."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from pydantic import Field

from ..site import require
from .operation import API, Routes
from .problem import ProblemError

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class VoicemailEntry:
    """A message, with the numbers as signalled; `received_at` is UTC."""

    id: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    received_at: datetime
    duration_s: float
    read: bool


@routes.get(f"{API}/users/{{name}}/voicemails")
async def list_voicemails(pbx: "Pbx", name: str) -> tuple[VoicemailEntry, ...]:
    """List the messages in a user's box, oldest first."""
    require.user(pbx.administration.directory, name)
    return tuple(
        VoicemailEntry(one.id, one.caller, one.called, one.received_at, one.duration_s, one.read)
        for one in await pbx.boxes.list(name)
    )


@routes.get(f"{API}/voicemails/{{id}}/audio", produces="audio/wav")
async def hear_voicemail(pbx: "Pbx", id: str) -> web.StreamResponse:  # noqa: A002 - the name in the path
    """Fetch the sound of a message (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    message = await pbx.store.mailbox.get(id)
    if message is None:
        raise _unknown(id)
    return web.FileResponse(message.path, headers={"Content-Type": "audio/wav"})


@routes.delete(f"{API}/voicemails/{{id}}")
async def delete_voicemail(pbx: "Pbx", id: str) -> None:  # noqa: A002 - as above
    """Delete a message with its sound."""
    if not await pbx.store.mailbox.delete(id):
        raise _unknown(id)


def _unknown(id_: str) -> ProblemError:
    return ProblemError.not_found(f'There is no message "{id_}".')
