"""The outbox over HTTP: mails and SMS that stayed in the house, wait for a carrier, or could not be delivered.

They hold PINs and voices, so that administrators alone may read them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from aiohttp import web
from pydantic import Field

from .operation import API, Routes
from .problem import ProblemError
from .wav import AUDIO, wav

if TYPE_CHECKING:
    from ..app import Pbx
    from ..store.outbox import Sent

routes = Routes()


@dataclass(frozen=True, slots=True)
class ParcelEntry:
    """A mail or an SMS for a user; `why` tells of the last of the `tries` that failed.

    One that is `kept` goes nowhere, one that is `waiting` will be tried, one that `failed` is given up. With
    `attachment` there is a sound.
    """

    id: str
    kind: Literal["mail", "sms"]
    user: str
    to: str
    subject: str
    text: str
    created_at: datetime
    state: Literal["kept", "waiting", "failed"]
    tries: int
    why: str | None
    attachment: bool


@routes.get(f"{API}/outbox")
async def list_outbox(
    pbx: "Pbx",
    *,
    kind: Literal["mail", "sms"] | None = None,
    to: str | None = None,
    user: str | None = None,
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
) -> tuple[ParcelEntry, ...]:
    """List the newest mails and SMS, oldest first."""
    found = await pbx.store.outbox.list(kind=kind, to=to, user=user, limit=limit)
    return tuple(map(_entry, found))


@routes.get(f"{API}/outbox/{{id}}")
async def read_parcel(pbx: "Pbx", id: str) -> ParcelEntry:  # noqa: A002 - the name in the path
    """Tell of one mail or SMS."""
    return _entry(await _parcel(pbx, id))


@routes.get(f"{API}/outbox/{{id}}/attachment", produces=AUDIO)
async def hear_attachment(pbx: "Pbx", request: web.Request, id: str) -> web.StreamResponse:  # noqa: A002 - as above
    """Fetch the sound that is attached to a mail (WAV, mono, 16 bit, 8 kHz); Range is understood."""
    parcel = await _parcel(pbx, id)
    if parcel.sound is None:
        raise ProblemError.not_found(f'Nothing is attached to "{id}".')
    return wav(request, parcel.sound)


@routes.delete(f"{API}/outbox/{{id}}")
async def delete_parcel(pbx: "Pbx", id: str) -> None:  # noqa: A002 - as above
    """Delete one mail or SMS; one that waited is not sent any more."""
    if not await pbx.store.outbox.delete(id):
        raise _unknown(id)


@routes.delete(f"{API}/outbox")
async def empty_outbox(pbx: "Pbx") -> None:
    """Delete all mails and SMS, as before a test."""
    await pbx.store.outbox.delete()


async def _parcel(pbx: "Pbx", id_: str) -> "Sent":
    found = await pbx.store.outbox.get(id_)
    if found is None:
        raise _unknown(id_)
    return found


def _unknown(id_: str) -> ProblemError:
    return ProblemError.not_found(f'There is nothing "{id_}" in the outbox.')


def _entry(sent: "Sent") -> ParcelEntry:
    return ParcelEntry(
        id=sent.id,
        kind=sent.kind,
        user=sent.user,
        to=sent.to,
        subject=sent.subject,
        text=sent.text,
        created_at=sent.created_at,
        state=sent.state,
        tries=sent.tries,
        why=sent.why,
        attachment=sent.sound is not None,
    )
