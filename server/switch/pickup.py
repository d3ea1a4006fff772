"""Names of calls that ring, for those who may pick them up: a lamp shows one, an INVITE with Replaces brings it back.

They look like the Call-ID of a dialog and are none, so that whoever is told one can do nothing else with it.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cached_property
from typing import TYPE_CHECKING

from .connection_state import ConnectionState
from .ringing import Ringing

if TYPE_CHECKING:
    from random import Random

    from .connection import Connection
    from .switch import Switch


class Pickups:
    """Names the calls of one switch; nothing is kept of a name."""

    def __init__(self, switch: Switch, random: Random) -> None:
        self._switch = switch
        self._random = random

    def name_of(self, connection: Connection) -> str | None:
        """Return the name by which the call that rings at a device is picked up; None where nobody may."""
        return self._name(connection.leg_id) if ringing_of(connection) is not None else None

    def named(self, name: str) -> Connection | None:
        """Return the live connection of that name, however far its call got meanwhile."""
        connection = self._switch.connections.get(name.partition(".")[0])
        if connection is None:
            return None
        ours = self._name(connection.leg_id).encode()
        return connection if hmac.compare_digest(name.encode(errors="replace"), ours) else None

    def _name(self, leg_id: str) -> str:
        return f"{leg_id}.{hashlib.blake2b(leg_id.encode(), key=self._secret, digest_size=16).hexdigest()}"

    @cached_property
    def _secret(self) -> bytes:
        return self._random.randbytes(16)


def ringing_of(connection: Connection) -> Ringing | None:
    """Return the ringing from which a device's call may be picked up."""
    ringing = connection.listener
    if connection.state is ConnectionState.ALERTING and isinstance(ringing, Ringing) and ringing.is_open:
        return ringing
    return None
