"""Files that are on the disk when a call returns."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def move_durably(source: Path, target: Path) -> None:
    """Move a file; its content and its new name survive a crash from then on."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    shutil.move(source, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
