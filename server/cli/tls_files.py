"""The certificate for TLS and its key, as `serve` and `doctor` are given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .failure import fail

if TYPE_CHECKING:
    from pathlib import Path


def require_pair(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """Give both files, or None for an own certificate; give up where one is missing."""
    if certificate is not None and key is not None:
        return certificate, key
    if certificate is not None or key is not None:
        fail("--tls-cert and --tls-key belong together; give both, or neither for an own certificate")
    return None
