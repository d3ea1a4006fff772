"""What commands print for programs: JSON in UTF-8, whatever the terminal's encoding."""

from __future__ import annotations

import json

import typer


def print_json(value: object) -> None:
    """Print one value."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2).encode())
