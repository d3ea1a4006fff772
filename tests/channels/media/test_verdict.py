"""The estimate of quality by the E-model (ITU-T G.107, G.107.1), and the share of packets lost."""

import pytest

from ringfence.channels.media.plane import Codec
from ringfence.channels.media.verdict import Verdict, mean_opinion


@pytest.mark.parametrize(
    ("loss", "delay_ms", "mos"),
    [(0.0, 0.0, 4.41), (0.0, 100.0, 4.36), (0.0, 400.0, 3.05), (0.01, 0.0, 3.83), (0.05, 0.0, 2.17), (0.5, 0.0, 1.0)],
)  # fmt: skip
def test_the_estimate_falls_with_loss_and_delay(loss: float, delay_ms: float, mos: float) -> None:
    """G.107, annex B: R 93.2 is 4.41; the others by its formulas, with G.711's Bpl 4.3 of G.113."""
    assert mean_opinion(loss, delay_ms) == pytest.approx(mos, abs=0.01)


@pytest.mark.parametrize(
    ("loss", "delay_ms", "mos"), [(0.0, 0.0, 4.34), (0.0, 400.0, 3.28), (0.02, 0.0, 3.58), (1.0, 0.0, 1.57)]
)
def test_g722_has_the_wideband_scale(loss: float, delay_ms: float, mos: float) -> None:
    """G.107.1: R is 129 - Ie,WB with Ie,WB 13 of G.113, table IV.1; annex A: MOS by R / 1.29."""
    assert mean_opinion(loss, delay_ms, Codec.G722) == pytest.approx(mos, abs=0.01)
    verdict = Verdict(Codec.G722, packets_received=1)
    assert verdict.mos == pytest.approx(mean_opinion(0.0, 20.0, Codec.G722), abs=0.005)


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("loss", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("delay_ms", [0.0, 500.0, 60_000.0])
def test_the_estimate_is_never_out_of_range(loss: float, delay_ms: float, codec: Codec) -> None:
    assert 1.0 <= mean_opinion(loss, delay_ms, codec) <= 4.5


def test_who_heard_nothing_has_no_opinion() -> None:
    assert Verdict(packets_sent=100).mos is None
    assert Verdict(packets_received=100).mos == 4.4


def test_loss_is_a_share_of_what_must_have_been_sent() -> None:
    assert Verdict(packets_received=92, packets_duplicate=2, packets_lost=10).loss == 0.1
    assert Verdict().loss == 0.0
