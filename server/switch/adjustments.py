"""What users set for themselves by a code: the setting is changed as by any other door, and a tone says that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...features.telephone.behaviour import confirm
from ...features.telephone.settings import TELEPHONE
from ...licensing.refusal import Refusal
from ..site.acts import SetSetting
from ..site.require import AdministrationError

if TYPE_CHECKING:
    from ...channels.session import Party
    from ...features.feature_codes.policy import Adjust
    from ..site.administration import Administration
    from .connection import Connection
    from .switch import Switch
    from .work import Works


class Adjustments:
    """Those of one switch."""

    def __init__(self, switch: Switch, administration: Administration, works: Works) -> None:
        self._switch = switch
        self._administration = administration
        self._works = works

    def take(self, connection: Connection, by: Party, adjust: Adjust) -> None:
        """Begin to carry out a code that a device has dialled."""
        connection.work = self._works.start(self._set(connection, by, adjust), connection)

    async def _set(self, connection: Connection, by: Party, adjust: Adjust) -> None:
        act = SetSetting(by.user or "", TELEPHONE, adjust.key, adjust.value)
        try:
            await self._administration.apply(act, actor=by.user or "")
        except AdministrationError:  # all that a telephone can get wrong is where a forwarding leads
            connection.refuse(Refusal("number.unknown"))
            return
        self._switch.run(connection, confirm, by)
