from __future__ import annotations

import errno
import socket

import pytest
import typer

from ringfence.server.cli.ports import is_loopback, require_free, rtp_range

BOTH = (socket.SOCK_DGRAM, socket.SOCK_STREAM)


def test_a_free_port_is_free_again_after_the_question() -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    require_free("127.0.0.1", port, BOTH, "--sip-port")
    require_free("127.0.0.1", port, BOTH, "--sip-port")


def test_the_sentence_tells_protocol_port_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(typer.Exit):
            require_free("127.0.0.1", port, (socket.SOCK_STREAM,), "--http-port")
    told = capsys.readouterr().err
    assert told == (
        f"ringfence: port {port} (TCP) at 127.0.0.1 is in use; "
        "end the process that holds it, or name another port by --http-port\n"
    )


def test_a_port_that_only_an_administrator_may_open_has_its_own_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Forbidden(socket.socket):
        def bind(self, address: object, /) -> None:
            raise PermissionError(errno.EACCES, f"{address} is not for you")

    monkeypatch.setattr(socket, "socket", Forbidden)
    with pytest.raises(typer.Exit):
        require_free("127.0.0.1", 80, BOTH, "--http-port")
    assert "above 1023 by --http-port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_only_loopback_needs_no_token(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_both_ends_of_a_range_belong_to_it() -> None:
    ports = rtp_range("20000-29999")
    assert (ports[0], ports[-1]) == (20000, 29999)
