"""How the audio of one leg fared, as the API tells it of live calls and of those in the journal."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RemoteEntry:
    """What the far end's RTCP reports told of our packets."""

    packets_lost: int
    loss: float
    jitter_ms: float
    round_trip_ms: float | None


@dataclass(frozen=True, slots=True)
class EnergyEntry:
    """How loud it was, if the site's `[media] energy` has it measured."""

    mean_dbm0: float
    peak_dbm0: float
    silence: float
    tones_hz: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerdictEntry:
    """See `channels.media.verdict.Verdict`; `digits` is how many were heard, never which."""

    codec: str | None
    ptime_ms: int
    packets_sent: int
    packets_received: int
    packets_refused: int
    packets_lost: int
    packets_late: int
    packets_reordered: int
    packets_duplicate: int
    jitter_ms: float
    mos: float | None
    digits: int
    remote: RemoteEntry | None = None
    energy: EnergyEntry | None = None
    encryption: str | None = None
    packets_unauthentic: int = 0

    @classmethod
    def of(cls, told: "Mapping[str, Any]") -> "VerdictEntry":
        """Make it from what `Verdict.told` told, now or when the journal was written."""
        remote, energy = told.get("remote"), told.get("energy")
        parts = {
            "remote": None if remote is None else RemoteEntry(**remote),
            "energy": None
            if energy is None
            else EnergyEntry(**energy | {"tones_hz": tuple(energy["tones_hz"])}),
        }
        return cls(**{**told, **parts})
