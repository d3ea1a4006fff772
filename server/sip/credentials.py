"""What digest authentication puts into headers (RFC 7616, RFC 8760): challenges and their answers.

`digest` judges them for a server; trunks and scripted phones answer through `Challenge.answer`. The parser is
strict and its own: no other header has this grammar.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .grammar import LONGEST_TOKEN, QUOTED, TOKEN, SipSyntaxError, is_token, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable


_MOST_PARAMS: Final = 32
_LONGEST_URI: Final = 1024
_SCHEME = re.compile(rf"({TOKEN})[ \t]+")
_AUTH_PARAM = re.compile(rf"({TOKEN})[ \t]*=[ \t]*({TOKEN}|{QUOTED})[ \t]*")
_COMMA = re.compile(r",[ \t]*")
_HEX = re.compile(r"[0-9a-f]+")
_NC = re.compile(r"[0-9a-fA-F]{8}")


class Algorithm(StrEnum):
    """The hash functions of RFC 8760 that we speak."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"

    def digest(self, text: str) -> str:
        """Hash `text` and write it in hex."""
        if self is Algorithm.MD5:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return hashlib.sha256(text.encode()).hexdigest()


def ha1(username: str, realm: str, password: str, algorithm: Algorithm = Algorithm.MD5) -> str:
    """Hash an account, which is all that a server needs to keep of it (RFC 7616 section 3.4.2)."""
    return algorithm.digest(f"{username}:{realm}:{password}")


def response_for(
    secret: str,
    method: str,
    uri: str,
    nonce: str,
    *,
    algorithm: Algorithm = Algorithm.MD5,
    qop: str | None = None,
    nc: int = 1,
    cnonce: str = "",
) -> str:
    """Compute the `response` of RFC 7616 section 3.4.1, without `qop` that of RFC 2069; `secret` is `ha1`."""
    ha2 = algorithm.digest(f"{method}:{uri}")
    if qop is None:
        return algorithm.digest(f"{secret}:{nonce}:{ha2}")
    return algorithm.digest(f"{secret}:{nonce}:{nc:08x}:{cnonce}:{qop}:{ha2}")


def _auth_params(text: str) -> dict[str, str]:
    params: dict[str, str] = {}
    position = 0
    while True:
        match = _AUTH_PARAM.match(text, position)
        if match is None or match[1].lower() in params or len(params) == _MOST_PARAMS:
            raise SipSyntaxError("authentication parameters are malformed")
        params[match[1].lower()] = match[2]
        position = match.end()
        if position == len(text):
            return params
        comma = _COMMA.match(text, position)
        if comma is None:
            raise SipSyntaxError("authentication parameters are malformed")
        position = comma.end()


def _quoted(params: dict[str, str], name: str, longest: int = LONGEST_TOKEN) -> str:
    raw = params.get(name, "")
    if len(raw) > longest + 2 or not raw.startswith('"'):
        raise SipSyntaxError(f"{name} in authentication is missing, not quoted or too long")
    return unquote(raw)


def _loose(params: dict[str, str], name: str) -> str | None:
    raw = params.get(name)
    if raw is None:
        return None
    value = unquote(raw) if raw.startswith('"') else raw
    if len(value) > LONGEST_TOKEN or not is_token(value):
        raise SipSyntaxError(f"{name} in authentication is malformed")
    return value


def _after_digest(text: str) -> str | None:
    match = _SCHEME.match(text)
    return text[match.end() :] if match and match[1].lower() == "digest" else None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows (Authorization, Proxy-Authorization); `response` is lower-case hex."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str | None = None
    nc: int = 0
    cnonce: str = ""
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Credentials | None:
        """Read a header value; None for another scheme than Digest, `SipSyntaxError` for a malformed one."""
        rest = _after_digest(text)
        if rest is None:
            return None
        params = _auth_params(rest)
        response = _quoted(params, "response")
        if _HEX.fullmatch(response) is None:
            raise SipSyntaxError("response in authentication is not hexadecimal")
        # aiosip repeats the challenge's qop and answers without: as RFC 2069, which takes each nonce once
        qop = _loose(params, "qop") if "nc" in params or "cnonce" in params else None
        nc = params.get("nc", "")
        if qop is not None and (_NC.fullmatch(nc) is None or int(nc, 16) == 0):
            raise SipSyntaxError("nc in authentication is not a count of eight digits")
        return cls(
            username=_quoted(params, "username"),
            realm=_quoted(params, "realm"),
            nonce=_quoted(params, "nonce"),
            uri=_quoted(params, "uri", _LONGEST_URI),
            response=response,
            algorithm=_loose(params, "algorithm") or "MD5",
            qop=qop,
            nc=0 if qop is None else int(nc, 16),
            cnonce="" if qop is None else _quoted(params, "cnonce"),
            opaque=_quoted(params, "opaque") if "opaque" in params else None,
        )

    def __str__(self) -> str:
        text = (
            f"Digest username={quote(self.username)}, realm={quote(self.realm)}, nonce={quote(self.nonce)}, "
            f'uri={quote(self.uri)}, response="{self.response}", algorithm={self.algorithm}'
        )
        if self.qop is not None:
            text += f", qop={self.qop}, nc={self.nc:08x}, cnonce={quote(self.cnonce)}"
        return text if self.opaque is None else f"{text}, opaque={quote(self.opaque)}"


def find_algorithm(name: str) -> Algorithm | None:
    """The algorithm that a header names, in whatever case; None for one that we do not speak."""
    return Algorithm.__members__.get(name.upper().replace("-", "_"))


def find_credentials(values: Iterable[str], realm: str) -> Credentials | None:
    """Give the first Digest credentials for `realm` among header values, or None.

    Raises `SipSyntaxError` when one that calls itself Digest is malformed.
    """
    parsed = [Credentials.parse(value) for value in values]
    return next((found for found in parsed if found is not None and found.realm == realm), None)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for (WWW-Authenticate, Proxy-Authenticate); `qop` is empty with RFC 2069 servers."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ("auth",)
    stale: bool = False
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Challenge | None:
        """Read a header value; None for another scheme than Digest, `SipSyntaxError` for a malformed one."""
        rest = _after_digest(text)
        if rest is None:
            return None
        params = _auth_params(rest)
        qop = _quoted(params, "qop") if params.get("qop", "").startswith('"') else params.get("qop", "")
        return cls(
            realm=_quoted(params, "realm"),
            nonce=_quoted(params, "nonce"),
            algorithm=_loose(params, "algorithm") or "MD5",
            qop=tuple(option.strip().lower() for option in qop.split(",") if option.strip()),
            stale=(_loose(params, "stale") or "").lower() == "true",
            opaque=_quoted(params, "opaque") if "opaque" in params else None,
        )

    @property
    def is_spoken(self) -> bool:
        """Whether `answer` can: we speak MD5 and SHA-256, with `qop=auth` or none."""
        return find_algorithm(self.algorithm) is not None and (not self.qop or "auth" in self.qop)

    def answer(
        self, username: str, password: str, method: str, uri: str, *, cnonce: str, nc: int = 1
    ) -> Credentials:
        """Make the credentials for one request; count `nc` up while the same nonce is used again.

        Raises `SipSyntaxError` when the server offers neither an algorithm nor a qop that we speak.
        """
        algorithm = find_algorithm(self.algorithm)
        if algorithm is None or not self.is_spoken:
            raise SipSyntaxError("the challenge wants an algorithm or qop that is not spoken here")
        qop = "auth" if self.qop else None
        response = response_for(
            ha1(username, self.realm, password, algorithm),
            method,
            uri,
            self.nonce,
            algorithm=algorithm,
            qop=qop,
            nc=nc,
            cnonce=cnonce,
        )
        return Credentials(
            username,
            self.realm,
            self.nonce,
            uri,
            response,
            self.algorithm,
            qop,
            nc if qop else 0,
            cnonce if qop else "",
            self.opaque,
        )

    def __str__(self) -> str:
        text = f"Digest realm={quote(self.realm)}, nonce={quote(self.nonce)}, algorithm={self.algorithm}"
        if self.qop:
            text += f', qop="{",".join(self.qop)}"'
        if self.stale:
            text += ", stale=true"
        return text if self.opaque is None else f"{text}, opaque={quote(self.opaque)}"
