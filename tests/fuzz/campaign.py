"""A bounded run of the fuzzer: parsers, framing and whole servers in turn, from one seed, until something is found.

What is found is written to a file that `python -m tests.fuzz --replay FILE` throws again.
"""

from __future__ import annotations

import gc
import json
import os
import time
import traceback
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from ringfence.channels.network import Address
from ringfence.fixtures.process import resident_mb

from .framed import frame
from .grammar import METHODS, Grammar, Place
from .mutation import Mutator
from .reading import read
from .siege import ANSWERS, Siege, replay
from .ways import Thrown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUND = 2_000
"""Messages to the parsers, and then to a server, between two looks at the clock."""
WARM_SHARE, MOST_GROWTH, LONG_RUN = 0.5, 1.05, 100_000
"""After this share of a long run it has met the message that needs most; at the end it may hold 5 % more."""
READ, FRAMED = Address("", 1), Address("", 2)
"""The sources of what is read, and of what is cut into messages, and not sent."""
STREAM_SHARE = 0.1
BETWEEN = (b"", b"", b"\r\n", b"\r\n\r\n", b"\r\n\r", b"\n", b"\r\n" * 7, b"\0")


@dataclass(frozen=True, slots=True)
class Finding:
    """What went wrong, with which messages; `seed` names the round."""

    seed: str
    what: str
    thrown: list[Thrown]

    def save(self, folder: Path) -> Path:
        """Write it down; returns the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"finding-{self.seed.replace('/', '-')}.json"
        messages = [
            {
                "at": one.at,
                "host": one.source.host,
                "port": one.source.port,
                "data": one.data.decode("latin-1"),
                "way": one.way,
            }
            for one in self.thrown
        ]
        path.write_text(json.dumps({"seed": self.seed, "what": self.what, "thrown": messages}, indent=1))
        return path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to; `heard` counts what servers said, by method and status."""

    messages: int
    seconds: float
    heard: dict[str, int]
    finding: Finding | None


def run(
    seed: int, messages: int, seconds: float, progress: Callable[[int, float], None] = lambda *_: None
) -> Outcome:
    """Throw up to `messages`, for `seconds` at most or until the first finding; `progress` is told count and time."""
    started, done, warm_mb = time.monotonic(), 0, 0.0
    heard: dict[str, int] = {}
    finding: Finding | None = None
    number = 0
    while done < messages and finding is None and time.monotonic() - started < seconds:
        size = max(1, min(ROUND, (messages - done) // 2))
        name = f"{seed}/{number}"
        finding = _read_round(name, size) or _siege_round(name, size, heard)
        done, number = done + 2 * size, number + 1
        if not warm_mb and done >= WARM_SHARE * messages:
            warm_mb = _kept_mb()
        progress(done, time.monotonic() - started)
    if finding is None and done >= LONG_RUN and (kept_mb := _kept_mb()) > MOST_GROWTH * warm_mb:
        finding = Finding(f"{seed}/memory", f"memory grew from {warm_mb:.1f} to {kept_mb:.1f} MB", [])
    return Outcome(done, time.monotonic() - started, heard, finding)


def again(path: Path) -> None:
    """Throw a saved finding once more; raises what it raised, or nothing."""
    saved = json.loads(path.read_text())
    thrown = [
        Thrown(one["at"], Address(one["host"], one["port"]), one["data"].encode("latin-1"), one["way"])
        for one in saved["thrown"]
    ]
    if thrown and thrown[0].source in (READ, FRAMED):
        for one in thrown:
            (read if one.source == READ else frame)(one.data)
    else:
        replay(thrown)


def _read_round(name: str, messages: int) -> Finding | None:
    random = Random(name)
    grammar, mutator = Grammar(random), Mutator(random)
    for _ in range(messages):
        data, source = mutator.mutate(_message(grammar)), READ
        if random.random() < STREAM_SHARE:
            source = FRAMED
            for _ in range(random.randint(0, 4)):
                follows = mutator.mutate(_message(grammar)) if random.random() < 0.3 else _message(grammar)
                data += random.choice(BETWEEN) + follows
        try:
            (read if source == READ else frame)(data)
        except Exception as error:  # noqa: BLE001 - any exception is what is looked for
            return Finding(name, _named(error), [Thrown(0.0, source, data)])
    return None


def _message(grammar: Grammar) -> bytes:
    if grammar.chance(0.8):
        return grammar.request(grammar.pick(METHODS), Place())
    echoed = [
        ("Via", grammar.via("127.0.0.1", grammar.fresh())),
        ("From", f"{grammar.name_addr()};tag=1"),
        ("To", grammar.name_addr()),
        ("Call-ID", grammar.fresh()),
        ("CSeq", "1 INVITE"),
    ]
    return grammar.response(grammar.random.choice(ANSWERS), echoed, grammar.contact())


def _siege_round(name: str, messages: int, heard: dict[str, int]) -> Finding | None:
    siege = Siege(name)
    try:
        siege.run(messages)
    except Exception as error:  # noqa: BLE001 - any exception is what is looked for
        return Finding(name, _named(error), siege.thrown)
    for word, times in siege.heard.items():
        heard[word] = heard.get(word, 0) + times
    return None


def _named(error: Exception) -> str:
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno}: {last.line})"


def _kept_mb() -> float:
    """What is kept between two rounds; what a round needed for a moment is no leak."""
    gc.collect()
    return resident_mb(os.getpid())
