"""Who may see keys: every place to which an offer may go has TLS (RFC 4568 7)."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

import pytest

from ringfence.channels.media import srtp
from ringfence.channels.network import Address
from ringfence.server.sip.flow import Flow, Peer
from ringfence.server.switch import encryption
from ringfence.server.switch.encryption import Encryption

PLAIN = Address("192.0.2.7", 5060)
TCP, TLS, WS, WSS = (Flow(one, Address("192.0.2.7", 5061), 1) for one in ("TCP", "TLS", "WS", "WSS"))


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Encryption:
    monkeypatch.setattr(srtp, "IS_AVAILABLE", True)
    site = SimpleNamespace(media=SimpleNamespace(srtp="tls"))
    return Encryption(SimpleNamespace(directory=SimpleNamespace(site=site)), Random(1))  # type: ignore[arg-type]  # only the setting is read


@pytest.mark.parametrize("peers", [(TLS,), (WSS,), (TLS, WSS)])
def test_keys_are_told_where_nobody_reads_along(rule: Encryption, peers: tuple[Peer, ...]) -> None:
    assert rule.keying(*peers).refusal is None


@pytest.mark.parametrize("peers", [(PLAIN,), (TCP,), (WS,), (TLS, PLAIN), (TLS, TCP)])
def test_no_key_is_told_where_one_of_the_places_is_readable(
    rule: Encryption, peers: tuple[Peer, ...]
) -> None:
    """A trunk's next server may be reached without TLS when the first one fails (RFC 3263 4.3)."""
    assert rule.keying(*peers).refusal == "media.srtp.in_clear"
    assert not rule.turn(*peers)


def test_who_insists_is_remembered_up_to_a_bound(rule: Encryption, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "MOST_REMEMBERED", 2)
    assert rule.turn(TLS)
    assert rule.keying(TLS).insists
    assert rule.turn(TLS)
    assert not rule.keying(TLS).insists
    flows = [Flow("TLS", Address("192.0.2.7", 5061), number) for number in (2, 3, 4)]
    for flow in flows:
        rule.note(flow)
    assert [rule.keying(flow).insists for flow in flows] == [False, True, True]
