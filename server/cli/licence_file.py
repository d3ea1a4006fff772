"""Licence packages and keys as files: whatever cannot be read is told with the name of its file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ...licensing.package import MOST_BYTES
from ..site.acts import ImportPackage
from .failure import fail

DEVELOPER = "developer"
"""Names the key that comes along, instead of a file."""

_MOST_OF_A_KEY = 1000


def package_file(path: Path) -> ImportPackage:
    """The package in the file at `path`, to be imported."""
    return ImportPackage(_start_of(path, MOST_BYTES + 1, "the licence package"), str(path))


def private_key(name: str) -> str:
    """The line of a private key: of a file, or of the developer key."""
    return _key(name, "developer.key")


def public_key(name: str) -> str:
    """The line of a public key: of a file, or of the developer key."""
    return _key(name, "developer.pub")


def _key(name: str, of_developer: str) -> str:
    if name == DEVELOPER:
        keys = files(__name__.partition(".")[0]) / "fixtures" / "keys"
        return (keys / of_developer).read_text(encoding="ascii").strip()
    return _start_of(Path(name), _MOST_OF_A_KEY, "the key").decode("ascii", "replace").strip()


def _start_of(path: Path, most_bytes: int, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most_bytes)
    except OSError as error:
        fail(f"{path}: {what} cannot be read ({error.strerror}); name a file that can be")
