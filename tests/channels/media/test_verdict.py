"""The estimate of quality by the E-model (ITU-T G.107), and the share of packets lost."""

import pytest

from ringfence.channels.media.verdict import Verdict, mean_opinion


@pytest.mark.parametrize(
    ("loss", "delay_ms", "mos"),
    [(0.0, 0.0, 4.41), (0.0, 100.0, 4.36), (0.0, 400.0, 3.05), (0.01, 0.0, 3.83), (0.05, 0.0, 2.17), (0.5, 0.0, 1.0)],
)  # fmt: skip
def test_the_estimate_falls_with_loss_and_delay(loss: float, delay_ms: float, mos: float) -> None:
    """G.107, annex B: R 93.2 is 4.41; the others by its formulas, with G.711's Bpl 4.3 of G.113."""
    assert mean_opinion(loss, delay_ms) == pytest.approx(mos, abs=0.01)


@pytest.mark.parametrize("loss", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("delay_ms", [0.0, 500.0, 60_000.0])
def test_the_estimate_is_never_out_of_range(loss: float, delay_ms: float) -> None:
    assert 1.0 <= mean_opinion(loss, delay_ms) <= 4.5


def test_who_heard_nothing_has_no_opinion() -> None:
    assert Verdict(packets_sent=100).mos is None
    assert Verdict(packets_received=100).mos == 4.4


def test_loss_is_a_share_of_what_must_have_been_sent() -> None:
    assert Verdict(packets_received=92, packets_duplicate=2, packets_lost=10).loss == 0.1
    assert Verdict().loss == 0.0
