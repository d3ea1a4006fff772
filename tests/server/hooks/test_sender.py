"""Against a real HTTP server on the loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringfence.server.hooks import sender
from ringfence.server.hooks.delivery import Post
from ringfence.server.hooks.sender import HttpSender, UndeliveredError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def http() -> AsyncIterator[HttpSender]:
    http = HttpSender()
    yield http
    await http.close()


@pytest.fixture
def paths() -> list[str]:
    return []


@pytest.fixture
async def receiver(paths: list[str]) -> AsyncIterator[TestServer]:
    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        if request.path == "/never":
            await asyncio.Event().wait()
        status = int(request.match_info["status"])
        return web.Response(status=status, headers={"Location": "/200"} if status == 302 else {})

    app = web.Application()
    app.router.add_post("/{status}", answer)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


def request_to(url: object) -> Post:
    return Post(str(url), {"X-Ringfence-Delivery": "w-1"}, b"{}")


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_2xx_is_success(http: HttpSender, receiver: TestServer, status: int) -> None:
    await http.send(request_to(receiver.make_url(f"/{status}")))


@pytest.mark.parametrize("status", [302, 400, 410, 500, 503])
async def test_anything_else_is_told_and_no_redirection_is_followed(
    http: HttpSender, receiver: TestServer, paths: list[str], status: int
) -> None:
    with pytest.raises(UndeliveredError, match=f"^answered {status}$"):
        await http.send(request_to(receiver.make_url(f"/{status}")))
    assert paths == [f"/{status}"]


async def test_nobody_at_the_port_is_told(http: HttpSender) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UndeliveredError, match=r"^no answer \(Connect call failed"):
            await http.send(request_to(f"http://127.0.0.1:{taken.getsockname()[1]}/"))


async def test_a_receiver_that_never_answers_is_left(
    http: HttpSender, receiver: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE_S", 0.05)
    with pytest.raises(UndeliveredError, match=r"^no answer within 0\.05 s$"):
        await http.send(request_to(receiver.make_url("/never")))


async def test_no_proxy_of_the_environment_is_asked(
    http: HttpSender, receiver: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    await http.send(request_to(receiver.make_url("/200")))


def test_a_server_without_webhooks_imports_none_of_this() -> None:
    code = "import sys, ringfence.server.app; print('ringfence.server.hooks.courier' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
