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
_ANGLES = 2 * np.pi * np.outer(np.arange(STEP_SAMPLES), _TONES_HZ) / SAMPLE_RATE_HZ
_WAVES = np.concatenate((np.cos(_ANGLES), -np.sin(_ANGLES)), axis=1).astype(np.float32)
_TURN = np.exp(-2j * np.pi * _TONES_HZ * STEP_SAMPLES / SAMPLE_RATE_HZ).astype(np.complex64)
_MOST_OFF_HZ = 0.015 * _TONES_HZ + 8.0
_FULL_SCALE_DBM0 = 3.14
_WEAKEST_POWER = (32256 * 10 ** ((WEAKEST_DBM0 - _FULL_SCALE_DBM0) / 20)) ** 2 / 2
_NORMAL_TWIST = 10 ** (NORMAL_TWIST_DB / 10)
_REVERSE_TWIST = 10 ** (REVERSE_TWIST_DB / 10)
_NEXT_BEST = 10 ** (NEXT_BEST_DB / 10)
_NONE = -1

Numbers = NDArray[np.intp]


class DigitDetector:
    """The state of `slots` streams: what sounded in their last step, and the digit that is down."""

    def __init__(self, slots: int) -> None:
        self._spectrum = np.zeros((slots, 8), np.complex64)
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

    def step(self, slots: Numbers, samples: NDArray[np.int16]) -> list[tuple[int, str]]:
        """Take 10 ms of each of `slots`, a row of `samples` each; return the slots where a digit begins, and which."""
        code = self._judge(slots, samples.astype(np.float32))
        known, down = code != _NONE, self._down[slots]
        windows = np.where(known & (code == self._heard[slots]), self._windows[slots] + 1, known)
        gap = np.where(known & (code == down), 0, self._gap[slots] + 1)
        down = np.where(gap >= GAP_WINDOWS, _NONE, down)
        begins = (windows >= WINDOWS) & (code != down)
        self._heard[slots], self._windows[slots] = code, windows
        self._down[slots], self._gap[slots] = np.where(begins, code, down), np.where(begins, 0, gap)
        return [(int(slots[row]), KEYS[code[row]]) for row in np.flatnonzero(begins)]

    def _judge(self, slots: Numbers, samples: NDArray[np.float32]) -> Numbers:
        """Return which tone pair fills the window that ends with `samples`, by its place in `KEYS`, or none."""
        parts = samples @ _WAVES
        before, spectrum = self._spectrum[slots], (parts[:, :8] + 1j * parts[:, 8:]) * _TURN
        energy = np.einsum("ij,ij->i", samples, samples)
        total = self._energy[slots] + energy + 1.0
        self._spectrum[slots], self._energy[slots] = spectrum * _TURN.conj(), energy

        together = before + spectrum
        power = together.real**2 + together.imag**2
        pair = np.stack((power[:, :4].argmax(1), power[:, 4:].argmax(1) + 4), axis=1)
        rows = np.arange(len(slots))[:, None]
        first, second = before[rows, pair], spectrum[rows, pair]
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
