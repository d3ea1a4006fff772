"""A call: who called whom, and the connections of the devices that take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .events import CallEnded
from .retargeting import NO_PAST

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...channels.session import Party
    from .connection import Connection
    from .work import Work


class Call:
    """One call; `called` is the number as signalled. It ends with its last connection.

    `past` is what it brought along of forwardings when it came by a trunk; `handed_on` counts the features of ours that
    handed it to another one.
    """

    def __init__(
        self, id_: str, caller: Party, called: str, started_at_s: float, over: Callable[[Call], None]
    ) -> None:
        self.id = id_
        self.caller = caller
        self.called = called
        self.started_at_s = started_at_s
        self.connections: list[Connection] = []
        self.cause = 16
        self.work: Work | None = None
        self.past = NO_PAST
        self.handed_on = 0
        self._over = over

    @property
    def is_answered(self) -> bool:
        """Whether somebody, or Ringfence itself, took the call."""
        return any(connection.is_answered for connection in self.connections)

    def on_connection_ended(self, connection: Connection) -> None:
        """Note that a device has left; with the last one the call is over."""
        self.connections.remove(connection)
        self.cause = connection.cause
        self.end_if_deserted()

    def adopt(self, connection: Connection) -> None:
        """Take a device over from another call, which it leaves for good."""
        connection.call.connections.remove(connection)
        connection.call = self
        self.connections.append(connection)

    def on_placed(self) -> None:
        """Note that the search for whoever takes a placed call is over, whether it found somebody or not."""
        self.work = None
        self.end_if_deserted()

    def end_if_deserted(self) -> None:
        """Be over when nobody is left and nobody is searched for; `adopt` leaves that to whoever calls it."""
        if not self.connections and self.work is None:
            self._over(self)

    def hang_up(self) -> None:
        """End every connection, and the search for more."""
        if self.work is not None:
            self.work.leg_is_over()
        for connection in list(self.connections):
            connection.hang_up()

    def ended(self, now_s: float) -> CallEnded:
        """Return the event that tells of its end."""
        return CallEnded(self.id, self.cause, now_s - self.started_at_s)
