"""Has sounds read and texts spoken in a process of their own (`workbench`), off the event loop and bounded in time.

The HTTP door asks for it. The libraries that it takes are never imported here; a file that makes one crash ends that
process, and is refused like any other that cannot be read.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

MOST_BYTES = 10_000_000
"""The largest file that is read."""
MOST_S = 120.0
"""The longest sound that is taken."""
TIME_LIMIT_S = 20.0


class SoundError(Exception):
    """No sound came of it; `reason` is a code of `licensing.reasons`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Workshop:
    """Works at one sound after the other."""

    def __init__(self, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s
        self._bench = asyncio.Lock()

    async def read(self, data: bytes, target: Path) -> float:
        """Write the sound in `data` (WAV, MP3, FLAC, Ogg) to `target` as `Clip` wants it; return its seconds.

        Raises `SoundError`; there is no file then.
        """
        if len(data) > MOST_BYTES:
            raise SoundError("sound.too_large")
        return await self._work(data, target, otherwise="sound.unreadable")

    async def speak(self, text: str, language: str, target: Path) -> float:
        """Write `text`, spoken in `language`, to `target`; return its seconds. Raises `SoundError` as `read` does."""
        return await self._work(text.encode(), target, language, otherwise="speech.failed")

    async def _work(self, given: bytes, target: Path, *language: str, otherwise: str) -> float:
        package = __name__.partition(".")[0]
        root = Path(sys.modules[package].__file__ or "").parent.parent
        search = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        module = f"{__name__.rpartition('.')[0]}.workbench"
        async with self._bench:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, str(target), *language),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": search, "OPENBLAS_NUM_THREADS": "1"},
            )
            try:
                async with asyncio.timeout(self._time_limit_s):
                    told, _ = await process.communicate(given)
            except TimeoutError:
                told = b""
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return _answered(json.loads(told) if process.returncode == 0 else {"reason": otherwise}, target)


def _answered(answer: dict[str, Any], target: Path) -> float:
    if "duration_s" in answer:
        return float(answer["duration_s"])
    target.unlink(missing_ok=True)  # a process that died may have begun it
    raise SoundError(answer["reason"])
