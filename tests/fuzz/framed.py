"""What must hold when any octets come by a connection: whatever the pieces, the same messages, pings and end."""

from __future__ import annotations

import time
from random import Random

from ringfence.server.sip.framing import Framing

SLOW_S = 0.25


def frame(data: bytes) -> None:
    """Cut a stream into messages, at once and in pieces; raises AssertionError when something does not hold."""
    random = Random(data)
    longest = random.choice((1, 3, 50, 1500)) if len(data) < 4000 else 1500
    pieces, begin = [], 0
    while begin < len(data):
        end = begin + random.randint(1, longest)
        pieces.append(data[begin:end])
        begin = end
    started = time.process_time()
    at_once, by_and_by = _fed([data]), _fed(pieces)
    took_s = time.process_time() - started
    assert at_once == by_and_by, f"{at_once[1:]} at once, {by_and_by[1:]} in pieces"
    messages, _, is_broken, is_inside = at_once
    assert not (is_broken and is_inside), "what is broken keeps octets"
    position = 0
    for message in messages:
        found = data.find(message, position)
        assert found >= position, "a message is no piece of the stream"
        position = found + len(message)
    assert took_s < SLOW_S, f"{took_s:.2f} s for {len(data)} octets in {len(pieces)} pieces"


def _fed(pieces: list[bytes]) -> tuple[list[bytes], int, bool, bool]:
    framing, messages, pings = Framing(), [], 0
    for piece in pieces:
        if framing.is_broken:  # the connection is closed then
            break
        messages += framing.feed(piece)
        pings += framing.pings
    return messages, pings, framing.is_broken, framing.is_inside
