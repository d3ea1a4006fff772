"""A store that cannot be opened, read or written, and how the system's own errors become one sentence."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StoreError(Exception):
    """One sentence: which store, what is wrong with it, and the remedy."""

    def __init__(self, place: Path, what: str, remedy: str) -> None:
        super().__init__(f"{place}: {what}; {remedy}")
        self.what = what
        self.remedy = remedy


class StoreHeldError(StoreError):
    """Another server is using the store."""


class StoredPackageError(Exception):
    """A licence package in the database is not one any more."""


FULL = ("the disk is full", "make room on it; what was stored before is unharmed")
DAMAGED = ("the database is damaged", "restore it from a copy, or name another --data")

_WRITABLE = "make the directory writable, or name another --data"
READONLY = ("the database cannot be written", _WRITABLE)

_KINDS = {
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": READONLY,
    "SQLITE_CANTOPEN": ("the database cannot be opened", _WRITABLE),
    "SQLITE_BUSY": ("another program keeps the database locked", "end it, or name another --data"),
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
}


@contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turn what the system and the database raise about the store in `place` into `StoreError`."""
    try:
        yield
    except OSError as error:
        what = f"the data directory cannot be used ({error.strerror})"
        raise StoreError(place, what, "name a directory that can be written") from error
    except StoredPackageError as error:
        what = "a licence package in the database is not what was imported"
        raise StoreError(place, what, "restore the database from a copy") from error
    except DatabaseError as error:
        raise StoreError(place, *sentence(error.orig)) from error


def sentence(error: BaseException | None) -> tuple[str, str]:
    """What is wrong with a database that raised `error`, and the remedy."""
    name = str(getattr(error, "sqlite_errorname", ""))
    for kind, words in _KINDS.items():
        if name.startswith(kind):
            return words
    return f"the database cannot be used ({error})", "look after its disk, or name another --data"
