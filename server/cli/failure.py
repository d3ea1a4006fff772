"""How a command gives up: one sentence on standard error, exit 2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_USAGE = 2


def fail(sentence: str) -> NoReturn:
    """Say why in one sentence and end the command."""
    typer.echo(f"ringfence: {' '.join(sentence.split())}", err=True)
    raise typer.Exit(EXIT_USAGE)


@contextmanager
def told() -> Iterator[None]:
    """Give up with the sentence of whatever the rooms below complain of: site, store, package, change."""
    try:
        yield
    except _complaints() as error:
        fail(str(error))


def _complaints() -> tuple[type[Exception], ...]:
    """Imported once there is something to complain of: most commands need no database."""
    from ...licensing.package import PackageError
    from ..net.certificate import CertificateError
    from ..site.require import AdministrationError
    from ..site.site import SiteError
    from ..store.failure import StoreError
    from ..store.tokens import TokenError

    return CertificateError, PackageError, AdministrationError, SiteError, StoreError, TokenError
