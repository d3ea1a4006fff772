"""Are the ports that a server is to open free? Asked before anything is started or written.

`serve` calls it, so that a port that another process holds costs one sentence and leaves nothing behind.
"""

from __future__ import annotations

import errno
import re
import socket
from ipaddress import ip_address

from .failure import fail

HIGHEST = 65535


Kinds = tuple[socket.SocketKind, ...]


def require_free(host: str, port: int, kinds: Kinds, option: str) -> None:
    """Give up if `host`:`port` cannot be opened."""
    sentence = what_is_wrong(host, port, kinds, option)
    if sentence is not None:
        fail(sentence)


def what_is_wrong(host: str, port: int, kinds: Kinds, option: str) -> str | None:
    """Bind `host`:`port` for a moment, for each kind of socket; port 0 is any free one and only tries the host."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in kinds:
        with socket.socket(family, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                return _sentence(host, port, kind, option, error)
    return None


def require_ports(**ports: int) -> None:
    """Make sure that there are such ports, given by the names of their doors."""
    for door, port in ports.items():
        if not 0 <= port <= HIGHEST:
            fail(f"--{door}-port {port} is no port; name one from 1 to {HIGHEST}, or 0 for any free one")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server at `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def rtp_range(text: str) -> range:
    """Read `20000-29999`: both ends belong to it, and RTP uses the even ports (RFC 3550, section 11)."""
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    low, high = (int(match[1]), int(match[2])) if match is not None else (0, 0)
    if not 0 < low < high <= HIGHEST:
        fail(
            f'--rtp-ports "{text}" is no range of ports; '
            "write the first and the last, e.g. --rtp-ports 20000-29999"
        )
    return range(low, high + 1)


def _sentence(host: str, port: int, kind: socket.SocketKind, option: str, error: OSError) -> str:
    where = f"port {port} ({'UDP' if kind is socket.SOCK_DGRAM else 'TCP'}) at {host}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is in use; end the process that holds it, or name another port by {option}"
        case errno.EACCES:
            return f"{where} may not be opened by this user; name a port above 1023 by {option}"
        case _:
            return f"--host {host} is no address of this machine ({error.strerror}); name one that is"
