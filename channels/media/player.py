"""Turns a list of playables into payloads of one ptime each, one playable behind the other without a gap.

A stream machine owns a player for what `play` gave it. A file that cannot be read is passed over: a media error never
ends a call.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias, assert_never

from .g711 import SAMPLE_RATE_HZ, SILENCE, encode
from .plane import Clip, Music, Prompt, Silence, Tone
from .prompts import ClipReader, music_payload, prompt_payload
from .tones import tone_payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .plane import Codec, Playable

_ENDLESS = sys.maxsize
_Source: TypeAlias = Prompt | Tone | ClipReader | Silence | Music


def _samples(seconds: float) -> int:
    return max(0, round(seconds * SAMPLE_RATE_HZ))


class Player:
    """What one `play` still has to send; `token` is its name."""

    __slots__ = ("_codec", "_current", "_left", "_position", "_sound", "_waiting", "token")

    def __init__(self, token: int, playables: Sequence[Playable], codec: Codec) -> None:
        self.token = token
        self._waiting = list(reversed(playables))
        self._current: _Source = Silence(0)
        self._codec: Codec | None = None
        self._sound = b""
        self._position = 0
        self._left = 0
        self._advance(codec)

    @property
    def done(self) -> bool:
        """Whether the last sample was read."""
        return self._left == 0

    def read(self, samples: int, codec: Codec) -> bytes:
        """Return the next `samples` bytes in `codec`, filled up with silence behind the end."""
        if codec is self._codec and samples < self._left and (sound := self._sound):
            start = self._position % len(sound)
            if start + samples <= len(sound):  # as nearly always
                self._position += samples
                self._left -= samples
                return sound[start : start + samples]
        payload = self._piece(samples, codec)
        while len(payload) < samples and self._left:
            payload += self._piece(samples - len(payload), codec)
        return payload if len(payload) == samples else payload.ljust(samples, SILENCE[codec])

    def _piece(self, samples: int, codec: Codec) -> bytes:
        wanted = min(samples, self._left)
        payload = self._render(wanted, codec)
        self._position += wanted
        self._left = self._left - wanted if len(payload) == wanted else 0
        if self._left == 0:
            self._advance(codec)
        return payload

    def _render(self, samples: int, codec: Codec) -> bytes:
        if codec is not self._codec:
            self._codec, self._sound = codec, self._whole(codec)
        if self._sound:
            start = self._position % len(self._sound)
            return (
                self._sound[start : start + samples]
                + self._sound[: max(0, start + samples - len(self._sound))]
            )
        match self._current:
            case Tone() as tone:
                return tone_payload(tone, codec, self._position, samples)
            case Silence():
                return SILENCE[codec] * samples
            case ClipReader() as clip:
                try:
                    return encode(clip.read(self._position, samples), codec)
                except OSError:
                    return b""
            case Prompt() | Music():
                return b""  # of no length

    def _whole(self, codec: Codec) -> bytes:
        """What plays, if it can be had as a whole, looked up once; behind its end it begins anew."""
        match self._current:
            case Prompt() as prompt:
                return prompt_payload(prompt, codec)
            case Music():
                return music_payload(codec)
            case Tone(cadence_s=()) as tone:
                return tone_payload(tone, codec, 0, SAMPLE_RATE_HZ)
            case _:
                return b""

    def _advance(self, codec: Codec) -> None:
        """Go on to the next playable that has at least one sample."""
        self._position = 0
        self._codec = None
        while self._waiting and self._left == 0:
            playable = self._waiting.pop()
            try:
                if isinstance(playable, Music):  # a piece that is gone is passed over, too
                    music_payload(codec)
                self._current, self._left = self._opened(playable, codec)
            except (OSError, ValueError):
                continue

    @staticmethod
    def _opened(playable: Playable, codec: Codec) -> tuple[_Source, int]:
        match playable:
            case Prompt() as prompt:
                return prompt, len(prompt_payload(prompt, codec))
            case Tone(_, duration_s) | Music(duration_s):
                return playable, _ENDLESS if duration_s is None else _samples(duration_s)
            case Silence(duration_s):
                return playable, _samples(duration_s)
            case Clip(path):
                clip = ClipReader(path)
                return clip, clip.length
            case never:
                assert_never(never)
