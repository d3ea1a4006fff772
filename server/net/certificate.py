"""The certificate with which the server shows itself by TLS: the one given, or an own one, signed by itself.

The own one is made when it is first needed and kept beside the store, so that a telephone that learnt to trust it
trusts it tomorrow. TLS 1.2 is the least (RFC 8996).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

CERTIFICATE, KEY = "tls-certificate.pem", "tls-key.pem"
LASTS = timedelta(days=3650)
CLOCKS_DIFFER = timedelta(days=1)


class CertificateError(ValueError):
    """A certificate or its key cannot be used; the sentence names the file and the remedy."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Read a certificate chain and its key, both PEM; raises `CertificateError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in (certificate, key):
        try:
            file.open("rb").close()
        except OSError as error:
            raise CertificateError(
                f"{file} cannot be read ({error.strerror}); name a PEM file that can"
            ) from error
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        what = "does not belong to" if error.reason == "KEY_VALUES_MISMATCH" else "cannot be used with"
        raise CertificateError(
            f"{certificate} {what} {key} ({error.reason or 'no PEM'}); "
            "give a certificate and its key, both PEM and the key without a passphrase"
        ) from error
    return context


class OwnCertificate:
    """A certificate in `folder` for the host names and addresses in `names`; called, it gives the context.

    Whoever calls first makes it, where there is none; the others wait for that.
    """

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._folder = folder
        self._names = names
        self._making: asyncio.Future[ssl.SSLContext] | None = None

    async def __call__(self) -> ssl.SSLContext:
        """Return the context; raises OSError when the folder cannot be written, `CertificateError`."""
        if self._making is None or (self._making.done() and self._making.exception() is not None):
            self._making = asyncio.ensure_future(asyncio.to_thread(self._context))
        return await asyncio.shield(self._making)

    def _context(self) -> ssl.SSLContext:
        certificate, key = self._folder / CERTIFICATE, self._folder / KEY
        if not certificate.exists():
            _make(certificate, key, self._names)
        return server_context(certificate, key)


def given(context: ssl.SSLContext) -> Callable[[], Awaitable[ssl.SSLContext]]:
    """Wrap a context that is there already."""

    async def at_once() -> ssl.SSLContext:
        return context

    return at_once


def _make(certificate: Path, key: Path, names: tuple[str, ...]) -> None:
    """Write key and certificate, the latter last: where it is, both are whole."""
    from cryptography import x509  # noqa: PLC0415 - costs a quarter of a second, and is used once
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name.encode("idna").decode()))
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ringfence")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, hashes.SHA256())
    )
    _write(
        key,
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))


def _write(file: Path, data: bytes) -> None:
    """Write a file of which either nothing or all is there, for its owner's eyes only."""
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:  # noqa: PTH123 - its mode
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)
