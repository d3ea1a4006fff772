"""How loud a stream was, for how much of it nothing was to be heard, and which steady tones were in it.

A stream machine owns one where somebody asked for it (`Remote.energy`). Bytes are gathered and looked at by three
seconds with numpy, which is imported at the first look.
"""

from __future__ import annotations

from functools import cache
from math import log10
from typing import TYPE_CHECKING

from .g711 import CODECS, SAMPLE_RATE_HZ, decode
from .verdict import Energy

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from .plane import Codec
    from .rtp import Packet

    Floats = NDArray[np.float32]

BLOCK = SAMPLE_RATE_HZ // 10
"""Level and tones are judged by blocks of 100 ms."""

LOOK_AT = 30 * BLOCK
"""So much is looked at together: 0.3 ms of work."""

SILENT_DBM0 = -50.0
QUIETEST_DBM0 = -70.0
TONE_DBM0 = -40.0
"""A steady tone of at least this level is one."""

TONE_SHARE = 0.9
SECOND_SHARE = 0.1
"""One or two frequencies hold this share of a tone's power; the second of two holds at least this one."""

SAME_HZ = 4
MOST_TONES = 16

_FULL_SCALE_DBM0 = 3.14  # a sine that just reaches the highest A-law value (G.711, table 5)
_HALF_LOBE = 2
_TINY = 1e-12
_LINE_HZ = SAMPLE_RATE_HZ / BLOCK


class Loudness:
    """What one stream heard, in the order in which it came. It is looked at every three seconds.

    `phase`, from 0 to 1, tells when: streams that begin together would keep all others waiting if each looked at once.
    """

    def __init__(self, phase: float = 0.0) -> None:
        self._look_at = BLOCK + int(phase * LOOK_AT)
        self._codec: Codec | None = None
        self._waiting = bytearray()
        self._blocks = self._silent = 0
        self._power = self._loudest = 0.0
        self._last: tuple[int, ...] = ()
        self._tones: list[int] = []

    def hear(self, packet: Packet) -> None:
        """Take a packet of payload type 0 or 8; of others, comfort noise for one, nothing is known."""
        codec = CODECS.get(packet.payload_type)
        if codec is None:
            return
        if codec is not self._codec:
            self._look()
            self._waiting.clear()
            self._codec = codec
        self._waiting += packet.payload
        if len(self._waiting) >= self._look_at:
            self._look()
            self._look_at = LOOK_AT + len(self._waiting)

    def energy(self) -> Energy | None:
        """Return what was heard up to now; None as long as that is less than a block."""
        self._look()
        if not self._blocks:
            return None
        mean, peak = _dbm0(self._power / self._blocks), _dbm0(self._loudest)
        return Energy(
            round(mean, 1), round(peak, 1), round(self._silent / self._blocks, 4), tuple(self._tones)
        )

    def _look(self) -> None:
        count = len(self._waiting) // BLOCK
        if not count or self._codec is None:
            return
        import numpy as np  # noqa: PLC0415 - only where energy was asked for

        codes = np.frombuffer(bytes(self._waiting[: count * BLOCK]), np.uint8)
        del self._waiting[: count * BLOCK]
        blocks = _levels(self._codec).take(codes).reshape(count, BLOCK)
        powers = np.einsum("ij,ij->i", blocks, blocks) / np.float32(BLOCK)
        self._blocks += count
        self._power += float(powers.sum())
        self._loudest = max(self._loudest, float(powers.max()))
        self._silent += int((powers < _power(SILENT_DBM0)).sum())
        loud = powers >= _power(TONE_DBM0)
        if loud.any():
            lines = np.fft.rfft(blocks * _window(), axis=1)
            found = _frequencies((lines.real**2 + lines.imag**2).astype(np.float32))
            for frequencies, is_loud in zip(found, loud.tolist(), strict=True):
                self._judge(frequencies if is_loud else ())
        else:
            self._last = ()

    def _judge(self, found: tuple[int, ...]) -> None:
        """Take a tone that two blocks in a row have for one that was heard."""
        before, self._last = self._last, found
        if not found or len(found) != len(before):
            return
        if all(abs(one - other) <= SAME_HZ for one, other in zip(found, before, strict=True)):
            for frequency in found:
                known = any(abs(frequency - one) <= SAME_HZ for one in self._tones)
                if not known and len(self._tones) < MOST_TONES:
                    self._tones.append(frequency)


def _frequencies(spectra: Floats) -> list[tuple[int, ...]]:
    """The one or two frequencies that hold nearly all power of each row, lowest first; none where there are more."""
    total = spectra.sum(axis=1) + _TINY
    first, share = _strongest(spectra)
    share /= total
    firsts, shares = first.tolist(), share.tolist()
    found: list[tuple[int, ...]] = [
        (round(one),) if part >= TONE_SHARE else () for one, part in zip(firsts, shares, strict=True)
    ]
    pairs = [row for row, part in enumerate(shares) if TONE_SHARE / 2 <= part < TONE_SHARE]
    if pairs:
        second, rest = _strongest(spectra[pairs])
        rest /= total[pairs]
        for row, other, part in zip(pairs, second.tolist(), rest.tolist(), strict=True):
            if part >= SECOND_SHARE and part + shares[row] >= TONE_SHARE:
                found[row] = tuple(sorted((round(firsts[row]), round(other))))
    return found


def _strongest(spectra: Floats) -> tuple[Floats, Floats]:
    """The frequency of each row's strongest sine in hertz, and its power, which is taken out of `spectra`."""
    import numpy as np  # noqa: PLC0415 - see the module

    top = spectra[:, _HALF_LOBE:-_HALF_LOBE].argmax(axis=1) + _HALF_LOBE
    lobe = np.arange(len(top))[:, None], top[:, None] + np.arange(-_HALF_LOBE, _HALF_LOBE + 1)
    near = spectra[lobe]
    spectra[lobe] = 0
    before, at, after = np.sqrt(near[:, _HALF_LOBE - 1 : _HALF_LOBE + 2]).T
    # Of a Hann window the two greater lines tell the place between them.
    upwards = after > before
    beside = np.where(upwards, after, before)
    shift = (2 * beside - at) / (beside + at + _TINY)
    return (top + np.where(upwards, shift, -shift)) * _LINE_HZ, near.sum(axis=1)


@cache
def _levels(codec: Codec) -> Floats:
    import numpy as np  # noqa: PLC0415 - see the module

    return np.array(decode(bytes(range(256)), codec)).astype(np.float32) / np.float32(32768)


@cache
def _window() -> Any:
    import numpy as np  # noqa: PLC0415 - see the module

    # In 64 bits, of which numpy's transform is six times as fast as of 32.
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(BLOCK) / BLOCK)


def _dbm0(power: float) -> float:
    return max(QUIETEST_DBM0, 10 * log10(2 * power) + _FULL_SCALE_DBM0) if power > 0 else QUIETEST_DBM0


def _power(dbm0: float) -> float:
    return 10 ** ((dbm0 - _FULL_SCALE_DBM0) / 10) / 2
