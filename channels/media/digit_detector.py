"""Which DTMF digits sound in many streams at once (ITU-T Q.23), within limits like those of Q.24.

Time goes by in steps of 10 ms. One matrix product gives each stream's eight tones in its step; a step and the one
before are the window in which a tone pair is judged. What tells a digit from speech is that nearly all energy of the
window lies in one row and one column, steady and on frequency: the phase from step to step measures it. Uses numpy,
which is imported when the first stream needs it: see `inband`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .g711 import SAMPLE_RATE_HZ
from .tones import COLUMNS_HZ, KEYS, ROWS_HZ

STEP_SAMPLES = SAMPLE_RATE_HZ // 100

NORMAL_TWIST_DB = 10.0
"""The column may be so much weaker than the row; Q.24 asks for 8 at most."""

REVERSE_TWIST_DB = 6.0
"""The row may be so much weaker than the column; Q.24 asks for 4."""

WEAKEST_DBM0 = -38.0
"""A tone below this is none: -25 dBm0, the twist, and what is lost on the way."""

PURITY = 0.8
"""This share of all energy lies in the two tones."""

NEXT_BEST_DB = 6.0
"""Any other row or column is at least so much weaker."""

STEADY = 2.0
"""From one step to the next a tone grows or fades by less than this factor."""

WINDOWS = 2
"""So many windows one after the other make a digit: they lie within any tone of 40 ms, never within one of 20."""

GAP_WINDOWS = 4
"""So many windows without it end a digit: they lie within any pause of 40 ms, and no lost packet of 20 makes them."""

_TONES_HZ = np.array((*ROWS_HZ, *COLUMNS_HZ), dtype=np.float64)
_WINDOW = 2 * STEP_SAMPLES
_ANGLES = 2 * np.pi * np.outer(np.arange(2 * STEP_SAMPLES), _TONES_HZ) / SAMPLE_RATE_HZ
# What a step is as the first half of a window, and as the second: cosines and sines of each.
_WAVES = np.concatenate(
    [wave(half) for half in np.split(_ANGLES, 2) for wave in (np.cos, lambda angles: -np.sin(angles))], axis=1
).astype(np.float32)
_MOST_OFF_HZ = 0.015 * _TONES_HZ + 8.0
_FULL_SCALE_DBM0 = 3.14
_AT_MOST = (2 / _WINDOW / np.sinc(_MOST_OFF_HZ * (_WINDOW / SAMPLE_RATE_HZ)) ** 2).astype(np.float32)
_WEAKEST_POWER = (32256 * 10 ** ((WEAKEST_DBM0 - _FULL_SCALE_DBM0) / 20)) ** 2 / 2
_NORMAL_TWIST = 10 ** (NORMAL_TWIST_DB / 10)
_REVERSE_TWIST = 10 ** (REVERSE_TWIST_DB / 10)
_NEXT_BEST = 10 ** (NEXT_BEST_DB / 10)
_NONE = -1

Numbers = NDArray[np.intp]


class DigitDetector:
    """The state of `slots` streams: what sounded in their last step, and the digit that is down."""

    def __init__(self, slots: int) -> None:
        self._spectrum = np.zeros((slots, 16), np.float32)
        self._energy = np.zeros(slots, np.float32)
        self._heard = np.full(slots, _NONE)
        self._windows = np.zeros(slots, np.intp)
        self._down = np.full(slots, _NONE)
        self._gap = np.zeros(slots, np.intp)

    @property
    def slots(self) -> int:
        """How many streams there may be."""
        return len(self._energy)

    def grow(self, slots: int) -> None:
        """Make room for more streams, and keep what is known of the others."""
        fresh = DigitDetector(slots - self.slots)
        for name, array in vars(fresh).items():
            setattr(self, name, np.concatenate((getattr(self, name), array)))

    def reset(self, slot: int) -> None:
        """Forget a stream: another one takes its slot."""
        for array, empty in (
            *((self._spectrum, 0), (self._energy, 0), (self._windows, 0), (self._gap, 0)),
            *((self._heard, _NONE), (self._down, _NONE)),
        ):
            array[slot] = empty

    def is_down(self, slot: int) -> bool:
        """Tell whether a digit sounds, or did just now."""
        return bool(self._down[slot] != _NONE)

    def hear(self, slots: Numbers, samples: NDArray[np.float32]) -> list[tuple[int, str]]:
        """Take whole steps of each of `slots`, a row of `samples` each; return where digits begin, and which."""
        codes = self._judge(slots, samples)
        active = (codes != _NONE).any(1) | (self._heard[slots] != _NONE) | (self._down[slots] != _NONE)
        begun: list[tuple[int, str]] = []
        if active.any():
            slots, codes = slots[active], codes[active]
            for code in codes.T:
                begun += self._follow(slots, code)
        return begun

    def _follow(self, slots: Numbers, code: Numbers) -> list[tuple[int, str]]:
        """Take what filled one window of each of `slots`."""
        known, down = code != _NONE, self._down[slots]
        windows = np.where(known & (code == self._heard[slots]), self._windows[slots] + 1, known)
        gap = np.where(known & (code == down), 0, self._gap[slots] + 1)
        down = np.where(gap >= GAP_WINDOWS, _NONE, down)
        begins = (windows >= WINDOWS) & (code != down)
        self._heard[slots], self._windows[slots] = code, windows
        self._down[slots], self._gap[slots] = np.where(begins, code, down), np.where(begins, 0, gap)
        return [(int(slots[row]), KEYS[code[row]]) for row in np.flatnonzero(begins)]

    def _judge(self, slots: Numbers, samples: NDArray[np.float32]) -> Numbers:
        """Return for each row and step which tone pair fills the window that ends there, by its place in `KEYS`.

        Most windows cannot be a digit, by what their two strongest tones hold at most; the others are looked into.
        """
        rows, steps = len(slots), samples.shape[1] // STEP_SAMPLES
        pieces = samples.reshape(rows * steps, STEP_SAMPLES)
        parts = (pieces @ _WAVES).reshape(rows, steps, 32)
        before, spectrum = np.empty((rows, steps, 16), np.float32), parts[:, :, 16:]
        before[:, 0], before[:, 1:] = self._spectrum[slots], parts[:, :-1, :16]
        energy, total = np.empty((rows, steps + 1), np.float32), np.empty((rows, steps), np.float32)
        energy[:, 0] = self._energy[slots]
        np.einsum("ij,ij->i", pieces, pieces, out=total.reshape(rows * steps))
        energy[:, 1:] = total
        total += energy[:, :-1]
        total += 1.0
        self._spectrum[slots], self._energy[slots] = parts[:, -1, :16], energy[:, -1]

        power = before + spectrum
        power *= power
        power = power[:, :, :8] + power[:, :, 8:]
        at_most = power * _AT_MOST
        low, high = at_most[:, :, :4].max(2), at_most[:, :, 4:].max(2)
        likely = (low + high > PURITY * total) & (np.minimum(low, high) > _WEAKEST_POWER * _WINDOW)
        codes = np.full((rows, steps), _NONE)
        if likely.any():
            codes[likely] = _pairs(before[likely], spectrum[likely], power[likely], total[likely])
        return codes


def _pairs(
    before: NDArray[np.float32],
    spectrum: NDArray[np.float32],
    power: NDArray[np.float32],
    total: NDArray[np.float32],
) -> Numbers:
    """Return which tone pair fills each of some windows, or none."""
    pair = np.stack((power[:, :4].argmax(1), power[:, 4:].argmax(1) + 4), axis=1)
    rows = np.arange(len(pair))[:, None]
    first = before[rows, pair] + 1j * before[rows, pair + 8]
    second = spectrum[rows, pair] + 1j * spectrum[rows, pair + 8]
    off_hz = np.angle(second * first.conj()) * (SAMPLE_RATE_HZ / (2 * np.pi * STEP_SAMPLES))
    strength = power[rows, pair]
    # A tone beside its frequency is seen weaker than it is, by the window's own response.
    tone = strength / np.sinc(off_hz * (_WINDOW / SAMPLE_RATE_HZ)) ** 2 * (2 / _WINDOW)
    low, high = tone[:, 0], tone[:, 1]
    purity = (low + high) / total
    power[rows, pair] = 0
    others = np.stack((power[:, :4].max(1), power[:, 4:].max(1)), axis=1)
    one, two = np.abs(first), np.abs(second)
    is_pair = (
        ((np.abs(off_hz) < _MOST_OFF_HZ[pair]) & (others * _NEXT_BEST < strength)).all(1)
        & ((one < STEADY * two) & (two < STEADY * one)).all(1)
        & (np.minimum(low, high) > _WEAKEST_POWER * _WINDOW)
        & ((low < high * _NORMAL_TWIST) & (high < low * _REVERSE_TWIST))
        & ((purity > PURITY) & (purity < 2 - PURITY))
    )
    return np.where(is_pair, 4 * pair[:, 0] + pair[:, 1] - 4, _NONE)
