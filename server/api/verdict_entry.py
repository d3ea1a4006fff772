"""How the audio of one leg fared, as the API tells it of live calls and of those in the journal."""

from dataclasses import dataclass


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
