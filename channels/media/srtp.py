"""SRTP and SRTCP at the edge of a stream (RFC 3711): within the plane everything is plain.

The library is optional (`pip install 'ringfence[srtp]'`). It keeps rollover counters and replay windows (3.3); here
stands which session of it a packet belongs to, and what becomes of one that it refuses. See docs/decisions/0031.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pylibsrtp import Session

    from .acceptance import Source
    from .outgoing import Outgoing

IS_AVAILABLE = find_spec("pylibsrtp") is not None
"""Whether the library is installed."""

MOST_SOURCES = 256
"""So many SSRCs of one far end are followed, a new one for each hold of some telephones; each costs memory."""

_VERSION = 2
_RTCP_TYPES = range(192, 224)
_REPLAYED = "replay check failed (bad index)"
_TOO_OLD = "replay check failed (index too old)"


class Suite(StrEnum):
    """The crypto suites that are known, by their names in SDP (RFC 4568 6.2, RFC 7714 14.2)."""

    AES_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_32 = "AES_CM_128_HMAC_SHA1_32"
    GCM_128 = "AEAD_AES_128_GCM"
    GCM_256 = "AEAD_AES_256_GCM"

    @property
    def key_bytes(self) -> int:
        """How long master key and master salt are together."""
        return _KEY_BYTES[self]


_KEY_BYTES = {Suite.AES_80: 30, Suite.AES_32: 30, Suite.GCM_128: 28, Suite.GCM_256: 44}
_PROFILES = {
    Suite.AES_80: "SRTP_PROFILE_AES128_CM_SHA1_80",
    Suite.AES_32: "SRTP_PROFILE_AES128_CM_SHA1_32",
    Suite.GCM_128: "SRTP_PROFILE_AEAD_AES_128_GCM",
    Suite.GCM_256: "SRTP_PROFILE_AEAD_AES_256_GCM",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What protects a stream: `ours` what we send, `theirs` what the far end sends.

    Each is a master key and its salt in base64, as SDP has them (RFC 4568 6.1). They are never shown.
    """

    suite: Suite
    ours: str = field(repr=False)
    theirs: str = field(repr=False)


class Srtp:
    """The crypto contexts of one stream, of either direction (RFC 3711 3.2.3).

    `unauthentic` counts what was thrown away because its authentication failed, `replayed` what had come before.
    """

    __slots__ = (
        "_errors", "_keys", "_opening", "_outgoing", "_sealing", "_sources", "_transmit", "replayed", "unauthentic",
    )  # fmt: skip

    def __init__(self, keys: Keys, transmit: Callable[[bytes, Source], object], outgoing: Outgoing) -> None:
        from pylibsrtp import Error  # noqa: PLC0415 - only where it was agreed

        self._errors = (Error, ValueError)
        self._transmit = transmit
        self._outgoing = outgoing
        self._keys = keys
        self._sealing = _session(keys.suite, keys.ours, sends=True)
        self._opening = [_session(keys.suite, keys.theirs, sends=False)]
        self._sources: set[bytes] = set()
        self.unauthentic = self.replayed = 0

    @property
    def suite(self) -> Suite:
        """The suite in use."""
        return self._keys.suite

    def renew(self, keys: Keys) -> None:
        """Go on with `keys`: a context whose key stays keeps its counters, or a key stream would be used twice.

        What is still under way with the far end's last key is understood as well.
        """
        before, self._keys = self._keys, keys
        if (keys.suite, keys.ours) != (before.suite, before.ours):
            self._sealing = _session(keys.suite, keys.ours, sends=True)
        if (keys.suite, keys.theirs) != (before.suite, before.theirs):
            self._opening = [_session(keys.suite, keys.theirs, sends=False), self._opening[0]]
            self._sources.clear()

    def transmit(self, data: bytes, destination: Source) -> None:
        """Send an RTP packet.

        One with the index of another one is not: of a packet that is relayed twice the far end needs one only. When a
        relayed source has begun anew far from where it was, the next packet continues our own count.
        """
        try:
            sealed = self._sealing.protect(data)
        except self._errors as error:  # it is a ValueError when it is too long
            if str(error) == _TOO_OLD:
                self._outgoing.leave()
            return
        self._transmit(sealed, destination)

    def open(self, data: bytes) -> bytes | None:
        """Return the RTP or RTCP packet (RFC 5761 4) in what came to the port of the RTP; None when it is refused.

        Of what is neither, STUN for instance, nothing is left.
        """
        if len(data) > 1 and data[1] in _RTCP_TYPES:
            return self.open_report(data)
        return self._open(data, data[8:12], is_report=False)

    def seal_report(self, data: bytes) -> bytes:
        """Return the SRTCP packet of a report (3.4)."""
        return self._sealing.protect_rtcp(data)

    def open_report(self, data: bytes) -> bytes | None:
        """Return the report in an SRTCP packet, None when it is refused; as `open`."""
        return self._open(data, data[4:8], is_report=True)

    def _open(self, data: bytes, source: bytes, *, is_report: bool) -> bytes | None:
        if not data or data[0] >> 6 != _VERSION:
            return b""
        if source not in self._sources and len(self._sources) >= MOST_SOURCES:
            self.unauthentic += 1
            return None
        for session in self._opening:
            try:
                plain = session.unprotect_rtcp(data) if is_report else session.unprotect(data)
            except self._errors as error:
                if str(error) == _REPLAYED:
                    self.replayed += not is_report
                    return None
                continue
            self._sources.add(source)
            if session is self._opening[0]:
                del self._opening[1:]  # the far end uses its new key
            return plain
        self.unauthentic += 1
        return None


def _session(suite: Suite, key: str, *, sends: bool) -> Session:
    from pylibsrtp import Policy, Session  # noqa: PLC0415 - only where it was agreed

    return Session(
        Policy(
            key=b64decode(key),
            ssrc_type=Policy.SSRC_ANY_OUTBOUND if sends else Policy.SSRC_ANY_INBOUND,
            srtp_profile=getattr(Policy, _PROFILES[suite]),
        )
    )
