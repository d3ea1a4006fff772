"""How one leg fared, as a value to assert on: counts, jitter, what was heard, and an estimate of its quality.

Stream machines make it, on request and at their end; scripted phones, the API and the journal hand it on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from .plane import Codec

if TYPE_CHECKING:
    from .srtp import Suite

_ROBUSTNESS_TO_LOSS = 4.3
_DELAY_TURN_MS = 177.3


@dataclass(frozen=True, slots=True)
class RemoteReport:
    """What the far end's RTCP reports tell of our packets (RFC 3550, 6.4.1): lost in all, the share lately, jitter.

    `round_trip_ms` is there and back, without the time that the far end took; None while no sender report of ours
    was answered.
    """

    packets_lost: int
    loss: float
    jitter_ms: float
    round_trip_ms: float | None


@dataclass(frozen=True, slots=True)
class Energy:
    """How loud it was, in dBm0 (0 is 3.14 dB below a full A-law sine): the mean, and the loudest 100 ms.

    `silence` is the share of it, 0 to 1, below -50 dBm0; `tones_hz` are the frequencies of steady tones, alone or in
    pairs, for at least 200 ms, in the order in which they were first heard.
    """

    mean_dbm0: float
    peak_dbm0: float
    silence: float
    tones_hz: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one stream sent, received and heard.

    `packets_refused` came from a wrong source or were no RTP; `packets_late` came more than 60 ms behind the pace of
    their source, `packets_reordered` behind a newer one. `jitter_ms` is RFC 3550's interarrival jitter at the end.
    `digits` came as events or as tones; `remote` is what the far end reported; `energy` is measured where it was asked
    for. `encryption` is the crypto suite of SRTP, `packets_unauthentic` what was no SRTP by the far end's key.
    """

    codec: Codec | None = None
    ptime_ms: int = 20
    packets_sent: int = 0
    packets_received: int = 0
    packets_refused: int = 0
    packets_lost: int = 0
    packets_late: int = 0
    packets_reordered: int = 0
    packets_duplicate: int = 0
    jitter_ms: float = 0.0
    digits: str = ""
    remote: RemoteReport | None = None
    energy: Energy | None = None
    encryption: Suite | None = None
    packets_unauthentic: int = 0

    @property
    def loss(self) -> float:
        """The share of packets, 0 to 1, that never came."""
        expected = self.packets_received - self.packets_duplicate + self.packets_lost
        return self.packets_lost / expected if expected else 0.0

    @property
    def mos(self) -> float | None:
        """The mean opinion score, from 1 on, that `mean_opinion` estimates; None when nothing was received.

        The delay is one ptime, twice the jitter for a buffer, and half the round trip where RTCP has told it.
        """
        if not self.packets_received:
            return None
        there_and_back_ms = 0.0 if self.remote is None else self.remote.round_trip_ms or 0.0
        delay_ms = self.ptime_ms + 2 * self.jitter_ms + there_and_back_ms / 2
        return round(mean_opinion(self.loss, delay_ms, self.codec or Codec.PCMA), 2)

    def told(self) -> dict[str, Any]:
        """Return what journal, API and webhooks tell, as JSON values: digits are counted, they may be a PIN."""
        values: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        codec = None if self.codec is None else str(self.codec)
        encryption = None if self.encryption is None else str(self.encryption)
        remote = None if self.remote is None else asdict(self.remote)
        energy = None if self.energy is None else asdict(self.energy)
        return values | {
            "codec": codec,
            "encryption": encryption,
            "remote": remote,
            "energy": energy,
            "digits": len(self.digits),
            "mos": self.mos,
        }


class _Scale(NamedTuple):
    """What the E-model takes for a codec: the best R, the codec's impairment Ie, and what R is divided by for MOS."""

    best_r: float
    impairment: float
    divisor: float


_NARROWBAND = _Scale(93.2, 0.0, 1.0)
_WIDEBAND = _Scale(129.0, 13.0, 1.29)


def mean_opinion(loss: float, delay_ms: float, codec: Codec = Codec.PCMA) -> float:
    """Estimate the mean opinion score by the E-model: ITU-T G.107, or G.107.1 for G.722, with their default values.

    R = best - Id - Ie,eff, where Id = 0.024 d + 0.11 (d - 177.3) beyond 177.3 ms (Cole and Rosenbluth's reduction) and
    Ie,eff = Ie + (95 - Ie) Ppl / (Ppl + Bpl). G.711: best 93.2, Ie 0; G.722 at 64 kbit/s: best 129, Ie 13 (G.113, table
    IV.1). Bpl is 4.3: no concealment, loss at random (G.113, table I.4). MOS by G.107, annex B, and by G.107.1, annex
    A, where R / 1.29 takes the place of R: these are two scales.
    """
    scale, percent = _WIDEBAND if codec is Codec.G722 else _NARROWBAND, 100 * loss
    r = scale.best_r - 0.024 * delay_ms - 0.11 * max(0.0, delay_ms - _DELAY_TURN_MS)
    r -= scale.impairment + (95 - scale.impairment) * percent / (percent + _ROBUSTNESS_TO_LOSS)
    r /= scale.divisor
    if r <= 0:
        return 1.0
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
