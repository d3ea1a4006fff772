"""The owners of boxes as the voicemail feature wants them: PINs with their locks, and what they change by telephone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import structlog

from ...channels.session import Party
from ...features.dialling.conversion import to_call
from ...features.voicemail.owners import MessageCaller
from ...features.voicemail.pin_locks import PinAnswer, PinLocks
from ..site.acts import ChangeUser
from ..site.require import AdministrationError
from ..store.failure import StoreError
from .events import BoxLocked, BoxUnlocked

if TYPE_CHECKING:
    from ...channels.session import Recording
    from ...features.voicemail.boxes import Message
    from ...features.voicemail.settings import BoxSettings
    from ..clock import Clock
    from ..site.acts import Act
    from ..site.administration import Administration
    from ..store.sounds import Sounds
    from .boxes import Boxes
    from .greetings import Greetings
    from .stream import EventStream

log = structlog.get_logger()

_NUMBER = re.compile(r"\+?[0-9]{1,32}")


class BoxOwners:
    """Keeps `features.voicemail.owners.Owners` for one server; the locks are in memory (decision 46)."""

    def __init__(
        self,
        administration: Administration,
        boxes: Boxes,
        greetings: Greetings,
        sounds: Sounds,
        *,
        clock: Clock,
        stream: EventStream,
    ) -> None:
        self._administration = administration
        self._boxes = boxes
        self._greetings = greetings
        self._sounds = sounds
        self._clock = clock
        self._stream = stream
        self._locks = PinLocks()

    # -- who hears a box ---------------------------------------------------------------------------------------

    def try_pin(self, box: BoxSettings | None, number: str, pin: str) -> PinAnswer:
        """Try a PIN, and tell of the lock that a wrong one has brought."""
        answer = self._locks.answer(box, number, pin, self._clock.now())
        if answer is PinAnswer.WRONG and box is not None and (seconds := self._locked_for(box)):
            self._stream.publish(BoxLocked(box.user, seconds))
        return answer

    def locks(self) -> dict[str, float]:
        """For how many seconds more which users' boxes take no PIN."""
        found = (self._boxes.box_of(user) for user in self._locks.users)
        return {box.user: seconds for box in found if box is not None and (seconds := self._locked_for(box))}

    def unlock(self, user: str, *, by: str) -> bool:
        """Lift the lock of a box before its time; False where there is none."""
        if user not in self.locks():
            return False
        self._locks.unlock(user)
        self._stream.publish(BoxUnlocked(user, by))
        return True

    def _locked_for(self, box: BoxSettings) -> float:
        return self._locks.locked_for(box, self._clock.now())

    # -- calling back ------------------------------------------------------------------------------------------

    def owner(self, box: BoxSettings) -> Party:
        """Return the user of a box as one who calls from his desk phone."""
        user = self._administration.directory.by_name(box.user)
        extension, name = ("", "") if user is None else (user.extension, user.display_name)
        return Party(extension, name, box.user, extension=True)

    def caller_of(self, box: BoxSettings, message: Message) -> MessageCaller | None:
        """Return who left a message; a number from outside is dialled as the location of the box's user does it."""
        directory, number = self._administration.directory, message.caller
        user = directory.by_extension(number) or directory.by_name(number)
        if user is not None:
            return MessageCaller(user.extension, user.extension)
        if not _NUMBER.fullmatch(number):
            return None
        plan = directory.dialling_of(box.user)
        if plan is not None:
            return MessageCaller(number, to_call(number, directory.dialling_of(None) or plan, plan))
        trunk = next((one for one in directory.site.trunks if one.uri is not None), None)
        prefix = "" if trunk is None else trunk.outbound_prefix or ""
        dialled = number.replace("+", "00") if prefix else number  # behind a prefix nobody dials a +
        return MessageCaller(number, prefix + dialled)

    # -- what they change --------------------------------------------------------------------------------------

    async def set_pin(self, box: BoxSettings, pin: str) -> bool:
        """Give a box another PIN."""
        return await self._changed(box, ChangeUser(box.user, {"voicemail_pin": pin}))

    async def set_greeting(self, box: BoxSettings, recording: Recording, name: str) -> bool:
        """Give a box another greeting of that name, or its own."""
        try:
            sound = await self._sounds.keep(recording.path, recording.duration_s)
        except StoreError as error:
            log.warning("greeting.not_kept", user=box.user, why=str(error))
            return False
        try:
            await self._greetings.set(box.user, name, sound, actor=box.user, within=None)
        except (AdministrationError, StoreError) as error:
            log.warning("greeting.not_kept", user=box.user, why=str(error))
            self._sounds.remove([sound.file])
            return False
        return True

    async def _changed(self, box: BoxSettings, act: Act) -> bool:
        try:
            await self._administration.apply(act, actor=box.user)
        except (AdministrationError, StoreError) as error:
            log.warning("box.not_changed", user=box.user, why=str(error))
            return False
        return True
