"""Digest access authentication as a server does it (RFC 7616, RFC 3261 section 22): nonces and their check.

Whoever has to know who calls mints and verifies through one `Nonces`. Only `qop=auth` is accepted, and from a
client that ignores it each nonce once. The values that travel in headers live in `credentials`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from .credentials import Algorithm, Challenge, Credentials, find_credentials, ha1, response_for
from .grammar import SipSyntaxError
from .uri import SipUri, parse_uri

if TYPE_CHECKING:
    from random import Random

__all__ = [
    "Algorithm",
    "Challenge",
    "Credentials",
    "Nonces",
    "Verdict",
    "find_credentials",
    "ha1",
    "response_for",
]

LIFETIME_S: Final = 300.0
MOST_NONCES: Final = 16384
NC_WINDOW: Final = 64

_NONCE = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})-([0-9a-f]{32})")


class Verdict(Enum):
    """What a server thinks of credentials.

    `STALE` (the nonce is too old, or of a former run) and `REPLAY` come with the right password: answer both
    with a fresh challenge that says `stale=true`. `WRONG` is a failed guess.
    """

    OK = auto()
    STALE = auto()
    WRONG = auto()
    REPLAY = auto()


@dataclass(slots=True)
class _Used:
    """Which counts of one nonce were seen: the highest, and a bit for each of the 64 up to it."""

    minted_ms: int
    highest: int = 0
    seen: int = 0

    def take(self, nc: int) -> bool:
        """Mark `nc` as seen; False when it was seen before or is too far behind to know."""
        if nc > self.highest:
            self.seen = ((self.seen << min(nc - self.highest, NC_WINDOW)) | 1) & ((1 << NC_WINDOW) - 1)
            self.highest = nc
            return True
        behind = self.highest - nc
        if behind >= NC_WINDOW or self.seen >> behind & 1:
            return False
        self.seen |= 1 << behind
        return True


class Nonces:
    """A server's nonces: each challenge has its own, and nothing is kept of it before its first good use.

    A nonce carries when it was minted, a serial number and a keyed hash of both, so that a flood of requests
    without credentials costs no memory. Counts are kept of at most `most` nonces; when one has to be
    forgotten early, it and all older ones become stale, so that none is ever accepted twice.
    """

    def __init__(
        self,
        random: Random,
        *,
        algorithm: Algorithm = Algorithm.MD5,
        lifetime_s: float = LIFETIME_S,
        most: int = MOST_NONCES,
    ) -> None:
        self.algorithm = algorithm
        self._key = random.randbytes(32)
        self._lifetime_ms = int(lifetime_s * 1000)
        self._most = most
        self._serial = 0
        self._forgotten = 0
        self._used: dict[int, _Used] = {}

    def __len__(self) -> int:
        """Count the nonces of which anything is kept."""
        return len(self._used)

    def mint(self, now: float) -> str:
        """Make a nonce for one challenge."""
        self._serial += 1
        stamp = f"{int(now * 1000):x}-{self._serial:x}"
        return f"{stamp}-{self._mac(stamp)}"

    def verify(
        self, credentials: Credentials, method: str, request_uri: str, secret: str, now: float
    ) -> Verdict:
        """Judge credentials of our realm for a request to `request_uri` as written.

        `secret` is the `ha1` of the account that `credentials.username` names; for an unknown one pass any
        other hash: it takes the same time and comes out `WRONG`.
        """
        expected = response_for(
            secret,
            method,
            credentials.uri,
            credentials.nonce,
            algorithm=self.algorithm,
            qop=credentials.qop,
            nc=credentials.nc,
            cnonce=credentials.cnonce,
        )
        if not (
            hmac.compare_digest(expected, credentials.response)
            and credentials.algorithm.upper() == self.algorithm
            and credentials.qop in {None, "auth"}
            and _same_uri(credentials.uri, request_uri)
        ):
            return Verdict.WRONG
        match = _NONCE.fullmatch(credentials.nonce)
        if match is None or not hmac.compare_digest(self._mac(f"{match[1]}-{match[2]}"), match[3]):
            return Verdict.STALE
        minted_ms, serial, now_ms = int(match[1], 16), int(match[2], 16), int(now * 1000)
        if now_ms - minted_ms >= self._lifetime_ms or serial <= self._forgotten:
            return Verdict.STALE
        used = self._used.get(serial)
        if used is None:
            used = self._used[serial] = _Used(minted_ms)
            self._forget(now_ms)
        elif credentials.qop is None:
            return Verdict.REPLAY
        return Verdict.OK if used.take(credentials.nc or 2**32) else Verdict.REPLAY

    def _mac(self, stamp: str) -> str:
        return hashlib.blake2b(stamp.encode(), key=self._key, digest_size=16).hexdigest()

    def _forget(self, now_ms: int) -> None:
        while self._used:
            serial, oldest = next(iter(self._used.items()))
            if now_ms - oldest.minted_ms < self._lifetime_ms:
                if len(self._used) <= self._most:
                    return
                self._forgotten = max(self._forgotten, serial)
            del self._used[serial]


def _same_uri(claimed: str, request_uri: str) -> bool:
    """RFC 7616 section 3.4.6: the URI of the request; old clients (pyVoIP) name its host alone, whatever they ask."""
    if claimed == request_uri:
        return True
    try:
        one, other = parse_uri(claimed), parse_uri(request_uri)
    except SipSyntaxError:
        return False
    if isinstance(one, SipUri) and isinstance(other, SipUri) and one.user is None:
        return (one.host, one.port) == (other.host, other.port)
    return one.same(other)
