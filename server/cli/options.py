"""The arguments and options that several commands have; whether a file can be read is told by whoever reads it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """In which language it is told."""

    ENGLISH = "en"
    GERMAN = "de"


SiteFile = Annotated[
    Path | None, typer.Argument(metavar="SITE.toml", readable=False, help="The site file; or give --data.")
]
StoreOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Read the store in DIR, not a file.")
]
Store = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="The directory that was given to serve --data.")
]
Packages = Annotated[
    list[Path] | None,
    typer.Option("--licence", metavar="FILE", readable=False, help="A licence package that counts as well."),
]
LanguageOption = Annotated[Language, typer.Option(help="English or German.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, and tell what would change.")]
