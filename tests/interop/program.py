"""A program of others at work: told by its keyboard, understood by its screen, and ended whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Condition, Thread
from typing import TYPE_CHECKING

from tests.tone_file import write_tone

from ringfence.channels.media.audio import Audio

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

PATIENCE_S = 20.0
PHONES = Path(__file__).parent / "phones"


class Program:
    """One process. `goodbye` is what it is told at the end."""

    goodbye = "quit\n"

    def __init__(self, command: Sequence[str]) -> None:
        self._screen = ""
        self._changed = Condition()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while block := os.read(self._process.stdout.fileno(), 4096):
            with self._changed:
                self._screen += block.decode(errors="replace")
                self._changed.notify_all()

    def press(self, keys: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    def shows(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        with self._changed:
            assert self._changed.wait_for(lambda: text in self._screen, PATIENCE_S), self._screen

    def shows_match(self, pattern: re.Pattern[str]) -> None:
        """Wait until something on the screen matches."""
        with self._changed:
            assert self._changed.wait_for(lambda: pattern.search(self._screen) is not None, PATIENCE_S), (
                self._screen
            )

    def shows_again(self, text: str) -> None:
        """Wait until `text` is on the screen for the second time."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._screen.count(text) > 1, PATIENCE_S), self._screen

    def comes_to_show(self, text: str, within_s: float) -> bool:
        """Whether `text` is on the screen by then."""
        with self._changed:
            return self._changed.wait_for(lambda: text in self._screen, within_s)

    def quit(self) -> None:
        with self._process:
            if self._process.poll() is None:
                self.press(self.goodbye)
            try:
                self._process.wait(PATIENCE_S)
            finally:
                self._process.kill()
                self._reader.join()


class Telephone(Program):
    """One of `phones`: a library of others, made a telephone by a script in an interpreter of its own."""

    def __init__(self, kind: str, room: Path, *words: str, tone_hz: int) -> None:
        room.mkdir()
        write_tone(room / "said.wav", tone_hz)
        self._room = room
        script = PHONES / f"{kind}_phone.py"
        super().__init__([sys.executable, "-W", "ignore", str(script), str(room), *words])

    def heard(self) -> Audio:
        """What came from the other end, once the phone has quit."""
        return Audio.from_wav(self._room / "heard.wav")
