"""Voicemail boxes over HTTP: administrators list, hear and delete messages, and a user his own, as his client may.

A box that is shared with him is to a user as his own (decision 44).

An administrator's token is not gated; a user's needs what reading a box with his kind of client needs (L-34 to L-37).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from pydantic import Field

from ...licensing.client import may_read
from ...licensing.refusal import Refusal
from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError
from .rights import EVERYBODY, sees_name, user_named
from .wav import AUDIO, wav

if TYPE_CHECKING:
    from ..app import Pbx
    from ..store.mailbox import Message

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


@routes.get(f"{API}/users/{{name}}/voicemails", may=EVERYBODY)
async def list_voicemails(pbx: "Pbx", who: Token, name: str) -> tuple[VoicemailEntry, ...]:
    """List the messages in a user's box, oldest first."""
    _require_box(pbx, who, name)
    return tuple(
        VoicemailEntry(one.id, one.caller, one.called, one.received_at, one.duration_s, one.read)
        for one in await pbx.boxes.list(name)
    )


@routes.get(f"{API}/voicemails/{{id}}/audio", may=EVERYBODY, produces=AUDIO)
async def hear_voicemail(pbx: "Pbx", who: Token, request: web.Request, id: str) -> web.StreamResponse:  # noqa: A002 - the name in the path
    """Fetch the sound of a message (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    message = await _message(pbx, who, id)
    return wav(request, message.path)


@routes.delete(f"{API}/voicemails/{{id}}", may=EVERYBODY)
async def delete_voicemail(pbx: "Pbx", who: Token, id: str) -> None:  # noqa: A002 - as above
    """Delete a message with its sound."""
    await _message(pbx, who, id)
    if not await pbx.boxes.delete(id):
        raise _unknown(id)


async def _message(pbx: "Pbx", who: Token, id_: str) -> "Message":
    """The message; to whoever may not see its user it is not there."""
    message = await pbx.store.mailbox.get(id_)
    if message is None:
        raise _unknown(id_)
    if not _shares(pbx, who, message.user) and not sees_name(who, pbx.administration.directory, message.user):
        raise _unknown(id_)
    _require_licences(pbx, who, message.user)
    return message


def _require_box(pbx: "Pbx", who: Token, name: str) -> None:
    """Raise `ProblemError` unless `who` may see the box of `name`, and his client may."""
    if not _shares(pbx, who, name):
        user_named(who, pbx.administration.directory, name)
    _require_licences(pbx, who, name)


def _shares(pbx: "Pbx", who: Token, name: str) -> bool:
    """Whether the box of `name` is shared with the user of a token (decision 44)."""
    box = pbx.boxes.box_of(name)
    return who.user is not None and box is not None and who.user in box.shared_with


def _require_licences(pbx: "Pbx", who: Token, name: str) -> None:
    """A member reads a central box as he reads his own, as long as that box works itself."""
    require_licence(pbx, who, who.user or name)
    if who.user not in {None, name}:
        answer = pbx.administration.gate.may(name, "voicemail")
        if isinstance(answer, Refusal):
            what = f"reading the voicemail box of {name}, which is shared with {who.user}"
            raise ProblemError.of(pbx.decisions.mint(answer, what, user=who.user))


def require_licence(pbx: "Pbx", who: Token, user: str) -> None:
    """Raise `ProblemError` where a user's client may not come at the box of `user`."""
    if who.client is None:
        return
    answer = may_read(pbx.administration.gate, user, "voicemail", who.client)
    if isinstance(answer, Refusal):
        what = f"reading the voicemail box of {user} with a client of kind {who.client}"
        raise ProblemError.of(pbx.decisions.mint(answer, what, user=user))


def _unknown(id_: str) -> ProblemError:
    return ProblemError.not_found(f'There is no message "{id_}".')
