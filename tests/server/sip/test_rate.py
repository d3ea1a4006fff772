"""The rate of strangers: one source cannot keep the server busy, and what is kept is bounded."""

from __future__ import annotations

import pytest

from ringfence.server.sip.rate import BURST, PER_SECOND, Rates
from ringfence.server.sip.sources import TrustedSources, counted_as


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    rates = Rates()
    assert sum(rates.allow("192.0.2.7", 0.0) for _ in range(2000)) == BURST
    assert sum(rates.allow("192.0.2.7", 0.5) for _ in range(2000)) == PER_SECOND / 2
    assert rates.allow("192.0.2.8", 0.5)


def test_quiet_sources_are_forgotten_first() -> None:
    rates = Rates(most_sources=3)
    for _ in range(int(BURST)):
        rates.allow("192.0.2.1", 0.0)
    for number in (2, 1, 3, 4):
        rates.allow(f"192.0.2.{number}", 0.0)
    assert len(rates) == 3
    assert not rates.allow("192.0.2.1", 0.0)


@pytest.mark.parametrize(
    ("host", "name"),
    [("192.0.2.7", "192.0.2.7"), ("::1", "::/64"), ("2001:db8::7:1", "2001:db8::/64")],
)
def test_a_host_is_counted_as(host: str, name: str) -> None:
    assert counted_as(host) == name


def test_trusted_sources_are_addresses_and_networks() -> None:
    trusted = TrustedSources(["127.0.0.1", "10.1.0.0/16", "2001:db8::/32"])
    assert all(host in trusted for host in ("127.0.0.1", "10.1.2.3", "2001:db8::9"))
    assert not any(host in trusted for host in ("127.0.0.2", "10.2.0.1", "::1"))
    assert "127.0.0.1" not in TrustedSources(())
