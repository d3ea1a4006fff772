from __future__ import annotations

import asyncio
import io
import json
import socket
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import DatabaseError
from structlog.testing import capture_logs

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.server.api import door, operation
from ringfence.server.api.door import FREE, MOST_BODY_BYTES, OPERATIONS
from ringfence.server.app import Options, Pbx
from ringfence.server.net import dual_port

if TYPE_CHECKING:
    from .conftest import Client


def path_of(template: str) -> str:
    return template.replace("{", "").replace("}", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic dG9rZW4="},
    ],
)
async def test_every_route_but_the_health_checks_wants_the_token(
    client: Client, headers: dict[str, str]
) -> None:
    for one in OPERATIONS:
        reply = await client.ask(one.method, path_of(one.path), headers=headers)
        if one.path in FREE:
            assert reply.status == 200
        else:
            assert (reply.status, reply.json["reason"]) == (401, "auth.required")
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_unknown_path_does_not_tell_a_stranger_that_it_is_unknown(client: Client) -> None:
    reply = await client.ask("GET", "/api/v1/nothing", headers={})
    assert reply.status == 401


async def test_the_token_counts_for_its_scheme_only(client: Client, pbx: PbxUnderTest) -> None:
    for scheme, status in (("bearer", 200), ("Basic", 401), ("", 401)):
        headers = {"Authorization": f"{scheme} {pbx.token}"}
        assert (await client.ask("GET", "/api/v1/users", headers=headers)).status == status


async def test_a_token_of_any_bytes_is_only_a_wrong_one(client: Client) -> None:
    reply = await client.ask("GET", "/api/v1/users", headers={"Authorization": "Bearer Schlüssel\udcff"})
    assert reply.status == 401


async def test_an_unknown_path_and_a_wrong_method_are_problems(client: Client) -> None:
    assert (await client.refused("GET", "nothing"))[:2] == (404, "not_found")
    reply = await client.ask("PUT", "/api/v1/users")
    assert (reply.status, reply.json["reason"]) == (405, "request.invalid")
    assert "GET" in reply.headers["Allow"]


async def test_a_body_over_one_megabyte_is_refused(client: Client) -> None:
    body = io.BytesIO(b" " * (MOST_BODY_BYTES + 1))
    assert (await client.refused("POST", "calls", data=body))[0] == 413


@pytest.mark.parametrize(
    "path", ["/livez", "/api/v1/users", "/api/v1/nothing", "/metrics", "/api/openapi.json"]
)
async def test_browsers_are_told_to_be_careful_and_no_origin_is_let_in(client: Client, path: str) -> None:
    headers = (await client.ask("GET", path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "ringfence"
    assert not [name for name in headers if name.startswith("Access-Control-")]


async def test_a_failure_of_the_server_is_logged_and_tells_nothing(client: Client, pbx: PbxUnderTest) -> None:
    broken: Any = None
    pbx.server.switch.calls["broken"] = broken
    with capture_logs() as logs:
        status, reason, detail = await client.refused("GET", "calls")
    del pbx.server.switch.calls["broken"]
    assert (status, reason) == (500, "server.failed")
    assert "NoneType" not in detail
    assert [entry["event"] for entry in logs] == ["request.failed"]


@pytest.mark.parametrize(
    ("code", "status", "reason", "detail"),
    [
        ("SQLITE_FULL", 507, "store.full", "The disk is full; make room on it"),
        ("SQLITE_READONLY", 503, "store.failed", "The database cannot be written; make"),
        ("SQLITE_IOERR_FSYNC", 503, "store.failed", "The database cannot be used"),
    ],
)
async def test_a_store_that_cannot_be_written_is_told_as_that_and_logged(
    client: Client,
    pbx: PbxUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    status: int,
    reason: str,
    detail: str,
) -> None:
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorname = code

    async def fail(_: object) -> None:
        raise DatabaseError("INSERT", None, broken)

    before = await client.get("users")
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(pbx.server.store.unit, "run", fail)
        new = {"name": "t", "kind": "administrator"}
        for method, path, body in (
            ("POST", "tokens", new),
            ("PATCH", "users/anna", {"location": "Haus"}),
            ("DELETE", "voicemails/1", None),
        ):
            refused = await client.refused(method, path, json=body)
            assert refused[:2] == (status, reason)
            assert refused[2].startswith(detail)
            assert str(pbx.server.store.folder) not in refused[2]
    assert {entry["event"] for entry in logs} == {"request.failed"}
    assert await client.get("users") == before


async def test_head_answers_as_get_without_a_body(client: Client) -> None:
    reply = await client.ask("HEAD", "/api/v1/users")
    assert (reply.status, reply.body) == (200, b"")


async def test_a_port_in_use_reaches_whoever_starts_the_server(pbx: PbxUnderTest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = Options(seed=1, in_process=True, http_port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            await Pbx.start(pbx.server.site, options)


async def test_two_servers_in_one_process_have_doors_of_their_own(client: Client, pbx: PbxUnderTest) -> None:
    other = await Pbx.start(pbx.server.site, Options(seed=2, in_process=True))
    try:
        assert other.http != pbx.http
        reply = await client.ask("GET", f"{other.http}/api/v1/users")
        assert reply.status == 401
    finally:
        await other.stop()


async def said(pbx: PbxUnderTest, request: bytes) -> bytes:
    """What the door says to raw bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(pbx.http.rpartition(":")[2]))
    writer.write(request)
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x15\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
)
async def test_what_is_no_http_is_400_and_leaves_no_line_in_the_log(
    pbx: PbxUnderTest, caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    head, _, body = (await said(pbx, garbage)).partition(b"\r\n\r\n")
    assert b" 400 " in head.partition(b"\r\n")[0]
    assert b"Content-Type: application/problem+json" in head
    assert b"Server: ringfence" in head
    assert json.loads(body)["reason"] == "request.invalid"
    assert caplog.text == ""


async def test_what_begins_as_tls_and_is_none_leaves_no_line_in_the_log(
    pbx: PbxUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    assert b"HTTP" not in await said(pbx, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
    assert caplog.text == ""


@pytest.mark.parametrize("head", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n"])
async def test_a_connection_that_sends_no_whole_request_is_closed(
    pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(door, "IDLE_S", 0.05)
    monkeypatch.setattr(dual_port, "FIRST_OCTET_S", 0.05)
    other = PbxUnderTest(await Pbx.start(pbx.server.site, Options(seed=2, in_process=True)))
    try:
        assert await said(other, head) == b""
    finally:
        await other.stop()


async def test_a_body_that_does_not_come_is_408(pbx: PbxUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "BODY_TIMEOUT_S", 0.05)
    head = f"POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {pbx.token}\r\nConnection: close\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(pbx.http.rpartition(":")[2]))
    writer.write(f"{head}Content-Length: 9\r\n\r\n".encode())
    assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
