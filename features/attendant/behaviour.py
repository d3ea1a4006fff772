"""What an Auto Attendant does with a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ...channels.media.plane import Prompt
from ...channels.speech.spoken import Digits
from .settings import ANNOUNCEMENT, MAIN, Dial, HangUp, Repeat, ToMenu, ToNumber
from .spelling import spelt

if TYPE_CHECKING:
    from ...channels.media.plane import Playable
    from ...channels.session import Session
    from .house import House
    from .settings import Attendant, Greeting, Limit, Menu, Target

LONGEST_NUMBER = 20
MOST_OFFERED = 9
"""Among so many whose names are spelt alike one may choose by a digit."""


async def attend(
    call: Session, desk: Attendant, house: House, greeting: Greeting | None, language: str
) -> None:
    """Greet the caller, then say the menu until a digit leads somewhere, or a limit is reached."""
    if desk.language == "caller":
        call.speak(language)
    if greeting is not None and greeting.early:
        if greeting.say:
            await call.announce(*house.sounds(desk.name, greeting.say))
        if isinstance(greeting.then, HangUp):
            await call.hang_up()
            return
    await call.answer()
    visit = _Visit(call, desk, house)
    if greeting is not None and greeting.say and not greeting.early:
        await call.play(*house.sounds(desk.name, greeting.say))
    await visit.follow(ToMenu(MAIN) if greeting is None else greeting.then)


class _Visit:
    """One caller's way through the menus: where he is, and how often in a row he pressed nothing, or a wrong key."""

    def __init__(self, call: Session, desk: Attendant, house: House) -> None:
        self._call = call
        self._desk = desk
        self._house = house
        self._menu = desk.menus[MAIN]
        self._unanswered = self._wrong = 0
        self._is_last = False
        self._patience_s: float | None = desk.patience_s
        call.patience(desk.patience_s)

    async def follow(self, target: Target) -> None:
        """Go where `target` leads, and on from there, to the end of the call."""
        while True:
            match target:
                case ToMenu(name):
                    if name != self._menu.name:
                        self._begin(self._desk.menus[name])
                    target = await self._ask()
                case Repeat():
                    target = await self._ask()
                case ToNumber(number):
                    target = await self._connect(number, outside=True)
                case Dial(by):
                    target = await (self._dial_extension() if by == "extension" else self._dial_name())
                case HangUp():
                    await self._call.play(Prompt("goodbye"))
                    await self._call.hang_up()
                    return
                case _:
                    assert_never(target)

    async def _ask(self) -> Target:
        menu = self._menu
        self._wait_for(self._desk.patience_s if menu.no_input is None else None)
        digit = await self._call.collect(1, *self._said(menu), timeout_s=menu.pause_s, terminator="")
        if not digit:
            return self._without_input()
        if digit not in menu.targets:
            return await self._after_wrong_input()
        target = menu.targets[digit]
        self._unanswered = 0
        if not isinstance(target, Dial):  # what is dialled may still be wrong
            self._begin(menu)
        return target

    async def _connect(self, number: str, *, outside: bool) -> Target:
        await self._call.transfer(number, hairpin=self._desk.hairpin, outside=outside)
        await self._call.play(Prompt("not_available"))
        return HangUp() if self._is_last else ToMenu(self._menu.name)

    async def _dial_extension(self) -> Target:
        self._wait_for(self._desk.patience_s)
        digits = await self._call.collect(LONGEST_NUMBER, Prompt("enter_extension"))
        if not digits:
            return self._without_input()
        if not self._house.is_extension(digits):
            return await self._after_wrong_input()
        return await self._connect(digits, outside=False)

    async def _dial_name(self) -> Target:
        self._wait_for(self._desk.patience_s)
        digits = await self._call.collect(LONGEST_NUMBER, Prompt("enter_name"))
        if not digits:
            return self._without_input()
        found = spelt(digits, self._house.people())[:MOST_OFFERED]
        if len(found) > 1:
            offered = [
                one
                for key, extension in enumerate(found, 1)
                for one in (
                    Prompt("for"),
                    Prompt("extension"),
                    Digits(extension),
                    Prompt("press"),
                    Digits(f"{key}"),
                )
            ]
            key = await self._call.collect(1, *offered, terminator="")
            found = [extension for n, extension in enumerate(found, 1) if key == str(n)]
        if not found:
            return await self._after_wrong_input()
        return await self._connect(found[0], outside=False)

    def _wait_for(self, patience_s: float | None) -> None:
        """Count the time without a digit; what counts already goes on."""
        if patience_s != self._patience_s:
            self._patience_s = patience_s
            self._call.patience(patience_s)

    def _begin(self, menu: Menu) -> None:
        self._menu, self._unanswered, self._wrong, self._is_last = menu, 0, 0, False

    def _without_input(self) -> Target:
        self._unanswered += 1
        return self._limited(self._menu.no_input, self._unanswered)

    async def _after_wrong_input(self) -> Target:
        await self._call.play(Prompt("choice_invalid"))
        self._unanswered = 0
        self._wrong += 1
        return self._limited(self._menu.wrong_input, self._wrong)

    def _limited(self, limit: Limit | None, tries: int) -> Target:
        if limit is None or tries < limit.tries:
            return Repeat()
        self._begin(self._menu)
        self._is_last = True
        return limit.then

    def _said(self, menu: Menu) -> tuple[Playable, ...]:
        return self._house.sounds(self._desk.name, menu.say) or (ANNOUNCEMENT,)
