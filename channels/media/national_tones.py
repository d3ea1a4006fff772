"""What a caller hears instead of a voice: the call progress tones of some countries, as one table.

Frequencies and cadences are those that ITU-T E.180, supplement 2, lists for the national networks; levels are the
-10 dBm0 that E.180 recommends, and those of Telcordia GR-506 for North America. A site chooses its country by
`[server] tones`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .plane import Tone


@dataclass(frozen=True, slots=True)
class NationalTones:
    """One country: Wählton, Freiton, Besetztton, Gassenbesetztton, and the Hinweiston before an announcement."""

    dial: Tone
    ringback: Tone
    busy: Tone
    congestion: Tone
    special_information: tuple[Tone, ...] = (Tone((950,), 0.33), Tone((1400,), 0.33), Tone((1800,), 0.33))


def _one(hz: int, *, ringback: tuple[float, ...], busy: float, congestion: float) -> NationalTones:
    """A country whose tones are all of one frequency, busy and congestion as long on as off."""
    return NationalTones(
        Tone((hz,)),
        Tone((hz,), cadence_s=ringback),
        Tone((hz,), cadence_s=(busy, busy)),
        Tone((hz,), cadence_s=(congestion, congestion)),
    )


NATIONAL_TONES = {
    "at": NationalTones(
        Tone((420,)),
        Tone((420,), cadence_s=(1.0, 5.0)),
        Tone((420,), cadence_s=(0.4, 0.4)),
        Tone((420,), cadence_s=(0.2, 0.2)),
        (Tone((950,), 0.33), Tone((1450,), 0.33), Tone((1850,), 0.33)),
    ),
    "be": _one(425, ringback=(1.0, 3.0), busy=0.5, congestion=0.167),
    "ch": _one(425, ringback=(1.0, 4.0), busy=0.5, congestion=0.2),
    "de": _one(425, ringback=(1.0, 4.0), busy=0.48, congestion=0.24),
    "dk": _one(425, ringback=(1.0, 4.0), busy=0.5, congestion=0.2),
    "es": NationalTones(
        Tone((425,)),
        Tone((425,), cadence_s=(1.5, 3.0)),
        Tone((425,), cadence_s=(0.2, 0.2)),
        Tone((425,), cadence_s=(0.2, 0.2, 0.2, 0.2, 0.2, 0.6)),
    ),
    "fr": _one(440, ringback=(1.5, 3.5), busy=0.5, congestion=0.25),
    "gb": NationalTones(
        Tone((350, 440)),
        Tone((400, 450), cadence_s=(0.4, 0.2, 0.4, 2.0)),
        Tone((400,), cadence_s=(0.375, 0.375)),
        Tone((400,), cadence_s=(0.4, 0.35, 0.225, 0.525)),
    ),
    "it": NationalTones(
        Tone((425,), cadence_s=(0.2, 0.2, 0.6, 1.0)),
        Tone((425,), cadence_s=(1.0, 4.0)),
        Tone((425,), cadence_s=(0.5, 0.5)),
        Tone((425,), cadence_s=(0.2, 0.2)),
    ),
    "nl": _one(425, ringback=(1.0, 4.0), busy=0.5, congestion=0.25),
    "us": NationalTones(
        Tone((350, 440), level_dbm0=-13.0),
        Tone((440, 480), cadence_s=(2.0, 4.0), level_dbm0=-19.0),
        Tone((480, 620), cadence_s=(0.5, 0.5), level_dbm0=-24.0),
        Tone((480, 620), cadence_s=(0.25, 0.25), level_dbm0=-24.0),
        (
            Tone((914,), 0.274, level_dbm0=-14.0),
            Tone((1371,), 0.274, level_dbm0=-14.0),
            Tone((1777,), 0.38, level_dbm0=-14.0),
        ),
    ),
}
"""Country code (ISO 3166) -> its tones."""
