"""SRTP and SRTCP of AES-CM and HMAC-SHA1 as RFC 3711 writes them down, to compare the library with."""

from __future__ import annotations

import hmac
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

if TYPE_CHECKING:
    from ringfence.channels.media.srtp import Suite

MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
"""Those of RFC 3711 appendix B.3."""
RTCP_LABELS = 3


def keystream(key: bytes, salt: bytes, count: int, *, ssrc: int = 0, index: int = 0) -> bytes:
    """Section 4.1.1."""
    start = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
    encryptor = Cipher(AES(key), CTR(start.to_bytes(16, "big"))).encryptor()
    return encryptor.update(bytes(count))


def derive(key: bytes, salt: bytes, label: int, count: int) -> bytes:
    """Section 4.3.1, with a key derivation rate of 0."""
    shifted = int.from_bytes(salt, "big") ^ label << 48
    return keystream(key, shifted.to_bytes(14, "big"), count)


@dataclass(frozen=True)
class Reference:
    """What one key makes of packets."""

    key: bytes
    tag_bytes: int

    @classmethod
    def of(cls, suite: Suite, key: str) -> Reference:
        return cls(b64decode(key), 4 if suite.endswith("_32") else 10)

    def seal(self, packet: bytes, rollovers: int = 0) -> bytes:
        """Sections 3.1 and 4.2; `packet` has a header of 12 bytes."""
        index = rollovers << 16 | int.from_bytes(packet[2:4], "big")
        sealed = packet[:12] + self._cipher(packet[12:], packet[8:12], index, 0)
        return sealed + self._tag(sealed + rollovers.to_bytes(4, "big"), 0)[: self.tag_bytes]

    def seal_report(self, packet: bytes, index: int) -> bytes:
        """Section 3.4, whose tag always has 80 bits."""
        sealed = packet[:8] + self._cipher(packet[8:], packet[4:8], index, RTCP_LABELS)
        sealed += (1 << 31 | index).to_bytes(4, "big")
        return sealed + self._tag(sealed, RTCP_LABELS)[:10]

    def _cipher(self, data: bytes, ssrc: bytes, index: int, labels: int) -> bytes:
        key, salt = (
            derive(self.key[:16], self.key[16:], labels + one, size) for one, size in ((0, 16), (2, 14))
        )
        stream = keystream(key, salt, len(data), ssrc=int.from_bytes(ssrc, "big"), index=index)
        return bytes(one ^ other for one, other in zip(data, stream, strict=True))

    def _tag(self, data: bytes, labels: int) -> bytes:
        return hmac.digest(derive(self.key[:16], self.key[16:], labels + 1, 20), data, "sha1")
