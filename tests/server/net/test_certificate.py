"""The server's certificate: given, or an own one that is made once and kept."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ringfence.server.net.certificate import (
    CERTIFICATE,
    KEY,
    CertificateError,
    OwnCertificate,
    server_context,
)

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("klein.example", "localhost", "127.0.0.1", "::1", "münchen.example")


async def test_the_own_certificate_is_made_once_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    own = OwnCertificate(tmp_path, NAMES)
    contexts = await asyncio.gather(own(), own())
    assert contexts[0] is contexts[1]
    assert contexts[0].minimum_version is ssl.TLSVersion.TLSv1_2
    assert sorted(file.name for file in tmp_path.iterdir()) == [CERTIFICATE, KEY]  # noqa: ASYNC240
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    before = (tmp_path / CERTIFICATE).read_bytes()
    await OwnCertificate(tmp_path, ())()
    assert (tmp_path / CERTIFICATE).read_bytes() == before


async def test_the_own_certificate_is_for_every_name_of_the_server(tmp_path: Path) -> None:
    await OwnCertificate(tmp_path, NAMES)()
    certificate = x509.load_pem_x509_certificate((tmp_path / CERTIFICATE).read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == [*NAMES[:4], "xn--mnchen-3ya.example"]


async def test_a_folder_that_cannot_be_written_is_an_error_each_time(tmp_path: Path) -> None:
    own = OwnCertificate(tmp_path / "nowhere", NAMES)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            await own()
    (tmp_path / "nowhere").mkdir()
    assert (await own()).minimum_version is ssl.TLSVersion.TLSv1_2


async def test_files_that_cannot_be_used_are_named_with_a_remedy(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        await OwnCertificate(tmp_path / name, NAMES)()
    certificate, key = tmp_path / "one" / CERTIFICATE, tmp_path / "one" / KEY
    secret = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a passphrase"),
        )
    )
    for pair, told in [
        ((tmp_path / "absent", key), "absent cannot be read (No such file or directory)"),
        ((certificate, tmp_path), f"{tmp_path} cannot be read (Is a directory)"),
        ((certificate, tmp_path / "other" / KEY), "does not belong to"),
        ((certificate, certificate), "cannot be used with"),
        ((key, key), "cannot be used with"),
        ((certificate, locked), "without a passphrase"),
    ]:
        with pytest.raises(CertificateError) as caught:
            server_context(*pair)
        assert told in str(caught.value)
        assert "give a certificate and its key" in str(caught.value) or "name a PEM file" in str(caught.value)
