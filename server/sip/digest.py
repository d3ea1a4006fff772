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

    Answer `STALE` (a nonce that is too old, of a former run, or made for somebody else) and `REPLAY` with a fresh
    challenge that says `stale=true`. A stale nonce is told without a look at the password, so that nobody learns by
    it whether a guess was right. `WRONG` is a failed guess, made by whoever got the challenge.
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

    A nonce carries when it was minted, a serial number and a keyed hash of both, of the algorithm and of the source
    that it was made for, so that a flood of requests without credentials costs no memory, and nobody can fail in
    the name of an address at which he does not listen. Counts are kept of at most `most` nonces; when one has to be
    forgotten early, it and all older ones become stale, so that none is ever accepted twice.
    """

    def __init__(
        self,
        random: Random,
        *,
        lifetime_s: float = LIFETIME_S,
        most: int = MOST_NONCES,
    ) -> None:
        self._key = random.randbytes(32)
        self._lifetime_ms = int(lifetime_s * 1000)
        self._most = most
        self._serial = 0
        self._forgotten = 0
        self._used: dict[int, _Used] = {}

    def __len__(self) -> int:
        """Count the nonces of which anything is kept."""
        return len(self._used)

    def mint(self, now: float, source: str, algorithm: Algorithm = Algorithm.MD5) -> str:
        """Make a nonce for one challenge to the host `source`."""
        self._serial += 1
        stamp = f"{int(now * 1000):x}-{self._serial:x}"
        return f"{stamp}-{self._mac(stamp, source, algorithm)}"

    def verify(
        self,
        credentials: Credentials,
        method: str,
        request_uri: str,
        secret: str,
        now: float,
        *,
        source: str,
        algorithm: Algorithm = Algorithm.MD5,
    ) -> Verdict:
        """Judge credentials of our realm, which name `algorithm`, for a request to `request_uri` as written.

        `secret` is the `ha1` of the account that `credentials.username` names; for an unknown one pass any
        other hash: it takes the same time and comes out `WRONG`.
        """
        now_ms = int(now * 1000)
        minted = self._minted(credentials.nonce, source, algorithm)
        if minted is None or now_ms - minted[0] >= self._lifetime_ms or minted[1] <= self._forgotten:
            return Verdict.STALE
        expected = response_for(
            secret,
            method,
            credentials.uri,
            credentials.nonce,
            algorithm=algorithm,
            qop=credentials.qop,
            nc=credentials.nc,
            cnonce=credentials.cnonce,
        )
        if not (
            hmac.compare_digest(expected, credentials.response)
            and credentials.qop in {None, "auth"}
            and _same_uri(credentials.uri, request_uri)
        ):
            return Verdict.WRONG
        minted_ms, serial = minted
        used = self._used.get(serial)
        if used is None:
            used = self._used[serial] = _Used(minted_ms)
            self._forget(now_ms)
        elif credentials.qop is None:
            return Verdict.REPLAY
        return Verdict.OK if used.take(credentials.nc or 2**32) else Verdict.REPLAY

    def _minted(self, nonce: str, source: str, algorithm: Algorithm) -> tuple[int, int] | None:
        """When (ms) and as which one a nonce was made for `source` and `algorithm`; None for one that was not."""
        match = _NONCE.fullmatch(nonce)
        if match is None:
            return None
        mac = self._mac(f"{match[1]}-{match[2]}", source, algorithm)
        return (int(match[1], 16), int(match[2], 16)) if hmac.compare_digest(mac, match[3]) else None

    def _mac(self, stamp: str, source: str, algorithm: Algorithm) -> str:
        text = f"{stamp} {algorithm} {source}"
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=16).hexdigest()

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
        return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
    return one.same(other)
