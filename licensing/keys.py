"""Ed25519 keys (RFC 8032) of those who issue licence packages, as one line of text each.

A public key stands in a site's `trusted_keys` and in a `.pub` file; its id, eight bytes of its SHA-256, names it in
packages. The private half of the developer key comes along with Ringfence, so it proves nothing and is shown.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

_PUBLIC, _PRIVATE = "ed25519:", "ed25519-private:"

DEVELOPER_KEY = "ed25519:d52dab3d9623974dddcd38f30850ceb9c1f6dc80b13e6099796d09e8bdb1a135"
"""The public key that is trusted where a site names no other; everybody can sign with its private half."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Both halves of a key, each as the line that its file holds."""

    private: str = field(repr=False)
    public: str


def generate_key(seed: bytes) -> KeyPair:
    """Make the key pair of 32 bytes that nobody can guess; raises `ValueError` for another number of bytes."""
    if len(seed) != 32:
        raise ValueError(f"a key is made from 32 random bytes, not from {len(seed)}")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return KeyPair(_PRIVATE + seed.hex(), _PUBLIC + public.hex())


def key_id(public: str) -> str:
    """The id of a public key, 16 hexadecimal digits; raises `ValueError` if it is none."""
    return hashlib.sha256(_bytes(public, _PUBLIC)).hexdigest()[:16]


def trusted_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The public keys whose packages count: those that a site names, or else the developer key alone."""
    return keys or (DEVELOPER_KEY,)


def sign(private: str, message: bytes) -> bytes:
    """Sign with a private key; raises `ValueError` if it is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(_bytes(private, _PRIVATE)).sign(message)


def public_half(private: str) -> str:
    """The public key that belongs to a private one; raises `ValueError` if it is none."""
    return generate_key(_bytes(private, _PRIVATE)).public


def is_signed(public: str, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is that of `message` by the owner of `public`."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - slow to import, and most sites have no package
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public, _PUBLIC)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _bytes(text: str, prefix: str) -> bytes:
    digits = text.strip().removeprefix(prefix)
    if not text.startswith(prefix) or not re.fullmatch(r"[0-9a-f]{64}", digits):
        kind = "a private" if prefix == _PRIVATE else "a public"
        raise ValueError(f"this is not {kind} key; it is one line, {prefix} and 64 hexadecimal digits")
    return bytes.fromhex(digits)
