"""Keys for SRTP in session descriptions: the crypto attributes of RFC 4568, and who may be told and believed them.

`offer_answer` asks a `Keying` what to write and what to take. What is not understood is passed over (5.1.2, 6.3), as is
what the media plane cannot do: master key identifiers, key derivation rates, streams without encryption or tag.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ...channels.media.srtp import Keys, Suite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from .sdp import Attributes

OFFERED: Final = (Suite.AES_80, Suite.AES_32)
"""The suites that we offer, best first; taken are all that are known."""

SHORTEST_LIFETIME: Final = 1 << 20
"""A key that its owner wants to use for fewer packets is none for a telephone call: nothing counts them."""

_LONGEST_LIFETIME: Final = 1 << 48
_CRYPTO: Final = re.compile(
    r"([0-9]{1,9})[ \t]+(\w{1,64})[ \t]+inline:([A-Za-z0-9+/]{1,128}={0,2})(?:\|([0-9^]{1,20}))?"
    r"((?:[ \t]+[!-~]+)*)[ \t]*",
    re.ASCII,
)
_HARMLESS: Final = re.compile(r"KDR=0|WSH=[0-9]{1,9}|-.*")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One crypto attribute: `key` is master key and salt in base64, of whoever wrote it."""

    tag: int
    suite: Suite
    key: str = field(repr=False)

    @property
    def attribute(self) -> tuple[str, str]:
        """Name and value of the attribute."""
        return "crypto", f"{self.tag} {self.suite} inline:{self.key}"


@dataclass(frozen=True, slots=True)
class Keying:
    """Whether and how keys are agreed with one far end.

    `refusal` is the reason code why they are not, None when they are; whoever `insists` is offered RTP/SAVP, and others
    RTP/AVP with keys beside it, which they may use or not (RFC 8643).
    """

    random: Random | None = None
    refusal: str | None = "media.incompatible"
    insists: bool = False

    def offers(self) -> tuple[Crypto, ...]:
        """Return what to offer to somebody with whom nothing is agreed, each with a fresh key."""
        if self.refusal is not None:
            return ()
        return tuple(Crypto(tag, suite, self._fresh(suite)) for tag, suite in enumerate(OFFERED, start=1))

    def takes(self, attributes: Attributes, in_use: Keys | None) -> tuple[Crypto, Keys] | None:
        """Choose the first of the crypto attributes offered (5.1.2): our own, and the keys that follow from both.

        Our key stays as long as the suite does, so that its counters may go on.
        """
        theirs = None if self.refusal is not None else next(iter(read(attributes)), None)
        if theirs is None:
            return None
        suite = theirs.suite
        ours = in_use.ours if in_use is not None and in_use.suite is suite else self._fresh(suite)
        return Crypto(theirs.tag, suite, ours), Keys(suite, ours, theirs.key)

    def _fresh(self, suite: Suite) -> str:
        if self.random is None:
            raise RuntimeError("a key needs a source of chance")
        return b64encode(self.random.randbytes(suite.key_bytes)).decode()


UNKEYED: Final = Keying()


def read(attributes: Attributes) -> list[Crypto]:
    """Return the crypto attributes that can be used, in their order."""
    return [one for name, value in attributes if name == "crypto" and (one := _read(value or "")) is not None]


def agreed(ours: Sequence[Crypto], attributes: Attributes) -> Keys | None:
    """Return what an answer chose of our crypto attributes (5.1.3); None when that is none of them."""
    for theirs in read(attributes):
        for one in ours:
            if (one.tag, one.suite) == (theirs.tag, theirs.suite):
                return Keys(one.suite, one.key, theirs.key)
    return None


def _read(value: str) -> Crypto | None:
    match = _CRYPTO.fullmatch(value)
    if match is None or match[2] not in set(Suite):
        return None
    tag, suite, key, lifetime, parameters = match.groups()
    usable = _is_long_enough(lifetime) and all(map(_HARMLESS.fullmatch, parameters.split()))
    try:
        data = b64decode(key.rstrip("=") + "=" * (-len(key.rstrip("=")) % 4), validate=True)
    except ValueError:
        return None
    one = Crypto(int(tag), Suite(suite), b64encode(data).decode())
    return one if usable and len(data) == one.suite.key_bytes else None


def _is_long_enough(lifetime: str | None) -> bool:
    """Read `2^20` or a number (9.2)."""
    if lifetime is None:
        return True
    base, power, exponent = lifetime.partition("^")
    if power:
        packets = 1 << int(exponent) if base == "2" and exponent.isdecimal() and int(exponent) <= 48 else 0
    else:
        packets = int(lifetime)
    return SHORTEST_LIFETIME <= packets <= _LONGEST_LIFETIME
