"""Who is at the far end of a connection, whichever side called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.session import Party
from ..sip.uri import SipUri

if TYPE_CHECKING:
    from ..site.directory import Directory
    from .connection import Connection


def party_of(connection: Connection, directory: Directory) -> Party:
    """Return the caller, the account that was rung, or the number that a trunk was asked for."""
    if connection.party is not None:
        return connection.party
    device = connection.device
    user = directory.user_of(device)
    if user is not None:
        return Party(device, user.display_name, user.name, extension=user.extension == device)
    target = connection.leg.request.request_uri if connection.leg is not None else None
    number = target.user if isinstance(target, SipUri) else None
    return Party(number or "anonymous", trunk=device)
