from __future__ import annotations

import asyncio
import errno
from random import Random

import pytest

from ringfence.channels.network import Address
from ringfence.server.net.memory import FIRST_FREE_PORT, LAST_FREE_PORT, MemoryNetwork, Weather

pytestmark = pytest.mark.virtual_time

Inbox = list[tuple[bytes, Address]]


async def exchange(network: MemoryNetwork, count: int) -> list[bytes]:
    """Send `count` datagrams through the network and return what arrives, in order."""
    inbox: Inbox = []
    there = await network.bind("192.0.2.1", 5060, lambda data, source: inbox.append((data, source)))
    here = await network.bind("192.0.2.2", 5060, lambda _data, _source: None)
    for number in range(count):
        here.send(b"%d" % number, there.local)
    await asyncio.sleep(10)
    there.close()
    here.close()
    assert {source for _, source in inbox} <= {here.local}
    return [data for data, _ in inbox]


async def test_datagrams_arrive_once_in_order_and_never_at_once() -> None:
    inbox: list[bytes] = []
    network = MemoryNetwork()
    there = await network.bind("192.0.2.1", 5060, lambda data, _: inbox.append(data))
    there.send(b"x", there.local)
    assert inbox == []
    await asyncio.sleep(1)
    assert inbox == [b"x"]
    there.close()
    assert await exchange(network, 20) == [b"%d" % number for number in range(20)]


async def test_a_port_in_use_is_an_error_until_it_is_closed() -> None:
    network = MemoryNetwork()
    first = await network.bind("192.0.2.1", 5060, lambda _data, _source: None)
    with pytest.raises(OSError, match="in use") as caught:
        await network.bind("192.0.2.1", 5060, lambda _data, _source: None)
    assert caught.value.errno == errno.EADDRINUSE
    first.close()
    second = await network.bind("192.0.2.1", 5060, lambda _data, _source: None)
    first.close()
    assert network.endpoints == {second.local: second}, "closing twice closes no other's"


async def test_port_0_is_any_free_port_and_an_even_one() -> None:
    network = MemoryNetwork()
    ports = [(await network.bind("192.0.2.1", 0, lambda _data, _source: None)).local.port for _ in range(9)]
    assert len(set(ports)) == 9
    assert all(port > FIRST_FREE_PORT and port % 2 == 0 for port in ports)


async def test_ports_come_round_again_and_those_in_use_are_passed_over() -> None:
    """A day of calls in virtual time needs more ports than there are."""
    network = MemoryNetwork()
    kept = await network.bind("192.0.2.1", 0, lambda _data, _source: None)
    ports = [network.free_port() for _ in range(20_000)]
    assert max(ports) == LAST_FREE_PORT
    assert kept.local.port not in ports
    assert set(ports) == set(range(FIRST_FREE_PORT + 4, LAST_FREE_PORT + 1, 2))


async def test_when_every_port_is_in_use_the_next_is_an_error() -> None:
    network = MemoryNetwork()
    for port in range(FIRST_FREE_PORT + 2, LAST_FREE_PORT + 1, 2):
        await network.bind("192.0.2.1", port, lambda _data, _source: None)
    with pytest.raises(OSError, match="every port is in use"):
        await network.bind("192.0.2.1", 0, lambda _data, _source: None)


async def test_nothing_arrives_at_a_closed_or_unknown_address() -> None:
    inbox: list[bytes] = []
    network = MemoryNetwork()
    there = await network.bind("192.0.2.1", 5060, lambda data, _: inbox.append(data))
    there.send(b"late", there.local)
    there.send(b"lost", Address("192.0.2.9", 9))
    there.close()
    await asyncio.sleep(1)
    assert inbox == []


async def test_loss_and_repetition_have_their_share() -> None:
    assert await exchange(MemoryNetwork(weather=Weather(loss=1.0)), 50) == []
    arrived = await exchange(MemoryNetwork(weather=Weather(repeat=1.0)), 50)
    assert sorted(arrived) == sorted([b"%d" % number for number in range(50)] * 2)
    arrived = await exchange(MemoryNetwork(weather=Weather(loss=0.3)), 1000)
    assert 600 < len(arrived) < 800


async def test_delay_lies_within_its_bounds_and_changes_the_order() -> None:
    arrived: list[tuple[float, bytes]] = []
    loop = asyncio.get_running_loop()
    network = MemoryNetwork(weather=Weather(delay_s=(0.1, 0.5)))
    there = await network.bind("192.0.2.1", 5060, lambda data, _: arrived.append((loop.time(), data)))
    start = loop.time()
    for number in range(50):
        there.send(b"%02d" % number, there.local)
    await asyncio.sleep(1)
    assert all(start + 0.1 <= when <= start + 0.5 for when, _ in arrived)
    assert len(arrived) == 50
    assert [data for _, data in arrived] != sorted(data for _, data in arrived)


async def test_one_seed_makes_one_weather() -> None:
    weather = Weather(loss=0.2, repeat=0.2, delay_s=(0.0, 1.0))

    async def run(seed: int) -> list[bytes]:
        return await exchange(MemoryNetwork(Random(seed), weather), 100)

    assert await run(1) == await run(1)
    assert await run(1) != await run(2)


async def test_the_weather_may_change() -> None:
    network = MemoryNetwork(weather=Weather(loss=1.0))
    assert await exchange(network, 5) == []
    network.weather = Weather()
    assert len(await exchange(network, 5)) == 5
