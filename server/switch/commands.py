"""Feature codes carried out: what a device wants done with its own leg, by the room of the switch that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ...features.feature_codes.policy import Adjust, CallBack, Confer, Park, PickUp, Pull
from ...licensing.refusal import Refusal

if TYPE_CHECKING:
    from ...channels.session import Party
    from ...features.feature_codes.policy import Command
    from .connection import Connection
    from .switch import Switch


def carry_out(switch: Switch, connection: Connection, by: Party, command: Command | Refusal) -> None:
    """Do what `by` has dialled a feature code for, or say why not."""
    match command:
        case PickUp(users):
            switch.replacements.pick_up_one(connection, by, users)
        case Park(slot):
            switch.parkings.by_code(connection, by, slot)
        case Pull():
            switch.pulls.take(connection, by)
        case Adjust():
            switch.adjustments.take(connection, by, command)
        case CallBack(wanted):
            switch.call_backs.take(connection, by, wanted=wanted)
        case Confer():
            switch.conferences.by_code(connection)
        case Refusal():
            connection.refuse(command)
        case _:
            assert_never(command)
