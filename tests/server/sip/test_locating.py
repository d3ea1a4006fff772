"""Where a URI leads (RFC 3263 4)."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.locating import (
    MOST_PLACES,
    Locator,
    NotLocatedError,
    Pointer,
    Service,
    leads_somewhere,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringfence.server.sip.flow import Peer

pytestmark = pytest.mark.virtual_time


class Zone:
    """Records in memory; `asked` are the questions."""

    def __init__(
        self,
        addresses: Mapping[str, Sequence[str]],
        services: Mapping[str, Sequence[Service]] | None = None,
        pointers: Mapping[str, Sequence[Pointer]] | None = None,
    ) -> None:
        self._addresses = addresses
        self._services = services or {}
        self._pointers = pointers or {}
        self.asked: list[str] = []

    async def pointers(self, name: str) -> Sequence[Pointer]:
        self.asked.append(f"NAPTR {name}")
        return self._pointers.get(name, ())

    async def services(self, name: str) -> Sequence[Service]:
        self.asked.append(f"SRV {name}")
        return self._services.get(name, ())

    async def addresses(self, name: str) -> Sequence[str]:
        self.asked.append(f"A {name}")
        return self._addresses.get(name, ())


PLAIN = {"t.example": ["192.0.2.7", "192.0.2.8"]}
ONE = {"a.t.example": ["192.0.2.1"], "b.t.example": ["192.0.2.2"], **PLAIN}


async def places(zone: Zone, uri: str, seed: int = 1) -> list[Peer]:
    return await Locator(zone, Random(seed)).locate(uri)


async def test_an_address_is_asked_of_nobody() -> None:
    zone = Zone({})
    assert await places(zone, "sip:192.0.2.7;transport=tcp") == [Flow("TCP", Address("192.0.2.7", 5060))]
    assert zone.asked == []


@pytest.mark.parametrize(
    ("uri", "peer"),
    [
        ("sip:t.example:5070", Address("192.0.2.7", 5070)),
        ("sip:t.example:5070;transport=tcp", Flow("TCP", Address("192.0.2.7", 5070))),
        ("sips:t.example:5071", Flow("TLS", Address("192.0.2.7", 5071), name="t.example")),
        ("sip:T.Example:5070;transport=UDP", Address("192.0.2.7", 5070)),
    ],
)
async def test_a_port_says_that_the_name_is_a_host_s(uri: str, peer: Peer) -> None:
    """RFC 3263 4.1 and 4.2: A or AAAA alone; UDP unless the URI says otherwise."""
    zone = Zone(PLAIN, {"_sip._udp.t.example": [Service(0, 0, 9, "wrong.example")]})
    assert (await places(zone, uri))[0] == peer
    assert zone.asked == ["A t.example"]


@pytest.mark.parametrize(
    ("uri", "peer"),
    [
        ("sip:t.example", Address("192.0.2.7", 5060)),
        ("sip:t.example;transport=tcp", Flow("TCP", Address("192.0.2.7", 5060))),
        ("sip:t.example;transport=tls", Flow("TLS", Address("192.0.2.7", 5061), name="t.example")),
        ("sips:t.example", Flow("TLS", Address("192.0.2.7", 5061), name="t.example")),
    ],
)
async def test_a_name_without_services_is_a_host_s_at_the_default_port(uri: str, peer: Peer) -> None:
    """RFC 3263 4.2; every address of it is a place."""
    found = await places(Zone(PLAIN), uri)
    assert found[0] == peer
    assert [one.host for one in found] == ["192.0.2.7", "192.0.2.8"]


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("sip:t.example", ["_sip._udp.t.example", "_sip._tcp.t.example", "_sips._tcp.t.example"]),
        ("sip:t.example;transport=udp", ["_sip._udp.t.example"]),
        ("sip:t.example;transport=tcp", ["_sip._tcp.t.example"]),
        ("sip:t.example;transport=tls", ["_sips._tcp.t.example"]),
        ("sips:t.example", ["_sips._tcp.t.example"]),
    ],
)
async def test_services_are_asked_for_by_the_transports_that_the_uri_leaves_open(
    uri: str, names: list[str]
) -> None:
    """RFC 3263 4.1."""
    zone = Zone(PLAIN)
    await places(zone, uri)
    assert [one for one in zone.asked if one.startswith("SRV")] == [f"SRV {name}" for name in names]


async def test_a_service_names_host_and_port_and_its_transport() -> None:
    zone = Zone(ONE, {"_sip._tcp.t.example": [Service(0, 0, 5090, "a.t.example")]})
    assert await places(zone, "sip:t.example") == [Flow("TCP", Address("192.0.2.1", 5090))]
    zone = Zone(ONE, {"_sips._tcp.t.example": [Service(0, 0, 5091, "a.t.example")]})
    found = await places(zone, "sips:t.example")
    assert found == [Flow("TLS", Address("192.0.2.1", 5091), name="t.example")], (
        "RFC 5922 7.1: the domain has to prove itself, and not the host that DNS named"
    )


async def test_pointers_choose_the_transport_and_the_name_of_the_services() -> None:
    """RFC 3263 4.1: by order and preference; what we do not speak is passed over."""
    pointers = [
        Pointer(20, 0, "s", "SIP+D2U", "udp.t.example"),
        Pointer(10, 50, "S", "sip+d2t", "tcp.t.example"),
        Pointer(10, 10, "s", "SIP+D2S", "sctp.t.example"),
        Pointer(10, 20, "u", "E2U+sip", "enum.t.example"),
    ]
    services = {
        "udp.t.example": [Service(0, 0, 5060, "b.t.example")],
        "tcp.t.example": [Service(0, 0, 5090, "a.t.example")],
    }
    zone = Zone(ONE, services, {"t.example": pointers})
    assert await places(zone, "sip:t.example") == [Flow("TCP", Address("192.0.2.1", 5090))]
    assert zone.asked == ["NAPTR t.example", "SRV tcp.t.example", "A a.t.example"]
    assert await places(zone, "sip:t.example;transport=udp") != [], (
        "a transport in the URI asks for no pointers"
    )
    secure = Zone(ONE, services, {"t.example": pointers})
    assert await places(secure, "sips:t.example") == [
        Flow("TLS", Address(host, 5061), name="t.example") for host in PLAIN["t.example"]
    ], "no pointer leads a sips: URI away from TLS"


async def test_services_stand_in_the_order_of_their_priority() -> None:
    """RFC 2782."""
    services = [Service(20, 9, 5060, "b.t.example"), Service(10, 0, 5062, "a.t.example")]
    zone = Zone(ONE, {"_sip._udp.t.example": services})
    for seed in range(5):
        found = await places(zone, "sip:t.example", seed)
        assert found == [Address("192.0.2.1", 5062), Address("192.0.2.2", 5060)]


async def test_services_of_one_priority_come_first_as_often_as_their_weights_say() -> None:
    """RFC 2782: by the chance that was given, so that a run can be repeated."""
    services = [Service(1, 75, 1, "a.t.example"), Service(1, 25, 2, "b.t.example")]
    locator = Locator(Zone(ONE, {"_sip._udp.t.example": services}), Random(1))
    first = Counter([(await locator.locate("sip:t.example"))[0].port for _ in range(400)])
    assert 260 < first[1] < 340
    again = Locator(Zone(ONE, {"_sip._udp.t.example": services}), Random(1))
    assert Counter([(await again.locate("sip:t.example"))[0].port for _ in range(400)]) == first


@pytest.mark.parametrize("uri", ["sip:nobody.example", "sip:t.example;transport=udp", "tel:0731"])
async def test_what_leads_nowhere_says_so(uri: str) -> None:
    """A service whose target is the root is decidedly not there (RFC 2782)."""
    zone = Zone(PLAIN, {"_sip._udp.t.example": [Service(0, 0, 0, "")]})
    with pytest.raises(NotLocatedError, match=r"no address is found for|names nothing"):
        await places(zone, uri)


async def test_a_far_end_is_sought_at_a_few_places_only() -> None:
    zone = Zone({"t.example": [f"192.0.2.{number}" for number in range(100)]})
    assert len(await places(zone, "sip:t.example:5060")) == MOST_PLACES


@pytest.mark.parametrize(
    ("uri", "somewhere"),
    [
        ("sip:192.0.2.7", True),
        ("sip:trunk.example.com", True),
        ("sips:trunk.example.com:5071;transport=tcp", True),
        ("sip:trunk.example.com;transport=ws", False),
        ("sips:trunk.example.com;transport=udp", False),
        ("sip:192.0.2.7;transport=sctp", False),
        ("tel:0731", False),
    ],
)
def test_whether_a_uri_can_lead_somewhere_is_known_without_asking(uri: str, somewhere: bool) -> None:
    assert leads_somewhere(uri) is somewhere
