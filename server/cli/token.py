"""`ringfence token`: who may come by HTTP, administered on a store that no server holds (L-61, L-62)."""

import asyncio
import time
from dataclasses import asdict
from enum import StrEnum
from random import SystemRandom
from typing import Annotated

import typer

from ..site import require
from ..site.administration import ADMINISTRATOR
from ..site.directory import Directory
from ..store.reading import read, reader
from ..store.site_rows import read_holdings
from ..store.tokens import Kind, Token, TokenCreated, TokenRevoked, Tokens
from .failure import fail, told
from .held_store import unit_of
from .json_output import print_json
from .options import AsJson, DryRun, Store
from .outcome import show_outcome
from .usage import group

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name, by which the audit log calls whoever comes with it.")
]


class Client(StrEnum):
    """The kinds of a user's client (L-34 to L-37)."""

    CONNECT = "connect"
    MOBILE = "mobile"
    GROUPWARE = "groupware"
    WEB = "web"


def register(app: typer.Typer) -> None:
    """Add `token` and its subcommands to the application."""
    tokens = group("Tokens for HTTP: of administrators, sub-administrators and users.")
    tokens.command()(create)
    tokens.command("list")(show)
    tokens.command()(revoke)
    app.add_typer(tokens, name="token")


def create(
    name: Name,
    *,
    data: Store,
    location: Annotated[
        list[str] | None, typer.Option(metavar="LOCATION", help="For a sub-administrator: what is his.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="For a user: his name.")] = None,
    client: Annotated[Client | None, typer.Option(help="For a user: the kind of his client.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a token and print its secret, this once; without more it is an administrator's."""
    kind: Kind = "administrator"
    if user is not None or client is not None:
        kind = "user"
    elif location:
        kind = "sub_administrator"
    now = time.time()
    token = Token(name, kind, tuple(location or ()), user, None if client is None else client.value, now)
    with told():
        directory = Directory(read(data, read_holdings).site)
        for one in token.locations:
            require.location(directory, one)
    with unit_of(data, "POST /api/v1/tokens", only_read=dry_run) as unit:
        making = Tokens(unit).create(token, SystemRandom(), actor=ADMINISTRATOR, at=now, dry_run=dry_run)
        secret = asyncio.run(making)
    if dry_run:
        if not as_json:
            typer.echo(f"There is a new token: {_told(token)}.")
        show_outcome((), [TokenCreated.of(token)], dry_run=True, as_json=as_json)
    elif as_json:
        print_json(asdict(token) | {"token": secret})
    else:
        typer.echo(secret)


def show(*, data: Store, as_json: AsJson = False) -> None:
    """List the tokens without their secrets, oldest first."""
    with told(), reader(data) as unit:
        tokens = asyncio.run(Tokens(unit).list())
    if as_json:
        print_json([asdict(one) for one in tokens])
        return
    for one in tokens:
        typer.echo(_told(one))


def revoke(name: Name, *, data: Store, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Make a token good for nothing."""
    with unit_of(data, "DELETE /api/v1/tokens/NAME", only_read=dry_run) as unit:
        revoking = Tokens(unit).revoke(name, actor=ADMINISTRATOR, at=time.time(), dry_run=dry_run)
        if not asyncio.run(revoking):
            fail(f'there is no token "{name}"; ringfence token list tells which there are')
    if not as_json:
        typer.echo(f"The token {name} is good for nothing any more.")
    show_outcome((), [TokenRevoked(name)], dry_run=dry_run, as_json=as_json)


def _told(token: Token) -> str:
    whose = ", ".join(token.locations) or (f"{token.user}, {token.client}" if token.user else "everywhere")
    return f"{token.name}: {token.kind}, {whose}"
