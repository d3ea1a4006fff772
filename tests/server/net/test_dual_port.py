"""Plain connections and TLS at one port (RFC 8446 5.1)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, cast

import pytest
import structlog
import uvloop

from ringfence.channels.network import Address
from ringfence.server.net import dual_port
from ringfence.server.net.certificate import OwnCertificate
from ringfence.server.net.dual_port import DualPort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from ringfence.server.net.streams import Tls

PATIENCE_S = 10.0
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Telling(asyncio.Protocol):
    """Answers what it hears by whether that came by TLS, and says it again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        how = b"plain" if self._wire.get_extra_info("ssl_object") is None else b"by TLS"
        self._wire.write(how + b": " + data)


class Missing:
    async def __call__(self) -> ssl.SSLContext:
        raise PermissionError("the folder cannot be written")


@asynccontextmanager
async def listening(tls: Tls) -> AsyncIterator[Address]:
    port = DualPort(socket.create_server(("127.0.0.1", 0)), Telling, tls)
    local = Address(*port._listening.getsockname())
    port.start()
    try:
        yield local
    finally:
        await port.stop()


def believing() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def ask(local: Address, tls: ssl.SSLContext | None = None) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(local.host, local.port, ssl=tls)
        writer.write(b"hello")
        said = await reader.read(100)
        writer.close()
        return said


async def is_closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionError):
            return await reader.read() == b""
    return True


def files_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_plain_and_tls_reach_the_same_protocol(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    """On either loop; nothing of what came first is lost, and the certificate is made by the first who asks for TLS."""

    async def main() -> None:
        own = OwnCertificate(tmp_path, ("127.0.0.1",))
        async with listening(own) as local:
            assert await ask(local) == b"plain: hello"
            assert files_in(tmp_path) == 0
            both = await asyncio.gather(*(ask(local, believing()) for _ in range(3)), ask(local))
            assert both == [b"by TLS: hello"] * 3 + [b"plain: hello"]
            assert files_in(tmp_path) == 2

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_the_first_octet_may_come_late(loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path) -> None:
    async def main() -> None:
        async with listening(OwnCertificate(tmp_path, ("127.0.0.1",))) as local:
            reader, writer = await asyncio.open_connection(local.host, local.port)
            assert await ask(local) == b"plain: hello", "the other one waits, and so nobody else has to"
            writer.write(b"a")
            assert await reader.read(100) == b"plain: a"
            writer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def test_who_says_nothing_is_closed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dual_port, "FIRST_OCTET_S", 0.05)
    async with listening(OwnCertificate(tmp_path, ("127.0.0.1",))) as local:
        reader, writer = await asyncio.open_connection(local.host, local.port)
        assert await is_closed(reader)
        writer.close()


async def test_whose_hands_are_not_shaken_in_time_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dual_port, "HANDSHAKE_S", 0.05)
    async with listening(OwnCertificate(tmp_path, ("127.0.0.1",))) as local:
        reader, writer = await asyncio.open_connection(local.host, local.port)
        writer.write(b"\x16\x03\x01")
        assert await is_closed(reader)
        writer.close()


async def test_the_one_that_has_waited_longest_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand silent connections keep nobody out."""
    monkeypatch.setattr(dual_port, "MOST_WAITING", 2)
    async with listening(OwnCertificate(tmp_path, ("127.0.0.1",))) as local:
        silent = [await asyncio.open_connection(local.host, local.port) for _ in range(4)]
        assert await ask(local) == b"plain: hello"
        assert await is_closed(silent[0][0])
        assert await is_closed(silent[1][0])
        for _, writer in silent:
            writer.close()


async def test_without_a_certificate_tls_is_closed_and_plain_goes_on() -> None:
    async with listening(Missing()) as local:
        with structlog.testing.capture_logs() as logs, pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(local, believing())
        assert [entry["event"] for entry in logs] == ["http.certificate_failed"]
        assert await ask(local) == b"plain: hello"


async def test_a_port_that_is_closed_lets_go_of_who_has_said_nothing(tmp_path: Path) -> None:
    async with listening(OwnCertificate(tmp_path, ("127.0.0.1",))) as local:
        reader, writer = await asyncio.open_connection(local.host, local.port)
        assert await ask(local) == b"plain: hello"
    assert await is_closed(reader)
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(local.host, local.port)
