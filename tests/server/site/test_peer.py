from __future__ import annotations

from ipaddress import ip_network

import pytest

from ringfence.server.site.peer import Peer


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("127.0.0.30", Peer("127.0.0.30")),
        ("127.0.0.1:5070", Peer("127.0.0.1", 5070)),
        ("::1", Peer("::1")),
        ("[0:0::1]:5070", Peer("::1", 5070)),
        ("10.1.2.3/16", Peer(network=ip_network("10.1.0.0/16"))),
        ("fd00::/8", Peer(network=ip_network("fd00::/8"))),
    ],
)
def test_address_address_with_port_and_network_are_peers(text: str, peer: Peer) -> None:
    assert Peer.parse(text) == peer


@pytest.mark.parametrize(
    "text", ["", "amt.example", "127.0.0.300", "127.0.0.1:0", "127.0.0.1:65536", "10.0.0.0/33"]
)
def test_anything_else_is_no_peer(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Peer.parse(text)
