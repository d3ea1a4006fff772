"""RTP ports held ready: even, free of other programs, and rested before they are used again."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ringfence.channels.media.port_stock import BATCH, REST_S, RETRY_S, SHORT_REST_S, PortStock

HOST = "127.0.0.1"


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def span(closing: ExitStack) -> range:
    """Sixteen ports that were free a moment ago."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            start = probe.getsockname()[1] & ~1
        with ExitStack() as trial:
            try:
                for port in range(start, start + 16):
                    trial.enter_context(bound(port))
            except OSError:
                continue
            return range(start, start + 16)


def bound(port: int) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        line.bind((HOST, port))
    except OSError:
        line.close()
        raise
    return line


def top_up(stock: PortStock, closing: ExitStack, now: float) -> list[int]:
    opened, rested = stock.top_up(now)
    for line in opened:
        closing.enter_context(line)
    return [line.getsockname()[1] for line in opened] + rested


def test_only_even_ports_of_the_range_are_bound(span: range, closing: ExitStack) -> None:
    stock = PortStock(HOST, span, 64)
    assert top_up(stock, closing, 0.0) == list(span[::2])
    assert not stock.more
    assert top_up(stock, closing, 0.1) == []


def test_a_range_that_begins_odd_gives_even_ports(span: range, closing: ExitStack) -> None:
    assert top_up(PortStock(HOST, range(span.start + 1, span.stop), 2), closing, 0.0) == [
        span.start + 2,
        span.start + 4,
    ]


def test_without_a_range_ports_are_even_too(closing: ExitStack) -> None:
    stock = PortStock(HOST, None, 10)
    ports = top_up(stock, closing, 0.0)
    assert len(ports) == 10
    assert all(port % 2 == 0 for port in ports)
    assert stock.more


def test_sockets_are_opened_in_batches(closing: ExitStack) -> None:
    stock = PortStock(HOST, None, 40)
    assert len(top_up(stock, closing, 0.0)) == BATCH
    assert stock.wants(0.0)


def test_a_port_of_another_program_is_skipped_and_tried_again(span: range, closing: ExitStack) -> None:
    other = closing.enter_context(bound(span[2]))
    stock = PortStock(HOST, span[:6], 64)
    assert top_up(stock, closing, 0.0) == [span[0], span[4]]
    other.close()
    assert top_up(stock, closing, RETRY_S) == [span[2]]


def test_a_port_rests_before_it_is_used_again(span: range, closing: ExitStack) -> None:
    stock = PortStock(HOST, span[:4], 1)
    (first,) = top_up(stock, closing, 0.0)
    stock.take()
    (second,) = top_up(stock, closing, 0.0)
    stock.give_back(first, 10.0)
    assert not stock.wants(10.0 + REST_S - 0.01)
    assert top_up(stock, closing, 10.0 + REST_S) == [first]
    assert second != first


def test_when_no_other_is_left_a_shorter_rest_will_do(span: range, closing: ExitStack) -> None:
    stock = PortStock(HOST, span[:2], 1)
    (port,) = top_up(stock, closing, 0.0)
    stock.take()
    assert top_up(stock, closing, 0.0) == []
    stock.give_back(port, 10.0)
    assert top_up(stock, closing, 10.0 + SHORT_REST_S - 0.01) == []
    assert top_up(stock, closing, 10.0 + SHORT_REST_S) == [port]


def test_a_host_that_is_not_here_has_no_ports(closing: ExitStack) -> None:
    for ports in (None, range(20000, 20010)):
        stock = PortStock("192.0.2.1", ports, 4)
        assert top_up(stock, closing, 0.0) == []
        assert not stock.more


def test_the_stock_grows_with_use(closing: ExitStack) -> None:
    stock, opened = PortStock(HOST, None, 1), 0
    for _ in range(12):
        opened += len(top_up(stock, closing, 0.0))
        stock.take()
    opened += len(top_up(stock, closing, 0.0))
    assert opened - 12 == 3
