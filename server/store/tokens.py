"""Who may come by HTTP: tokens with their rights, of which only hashes are kept (L-34 to L-37, L-61, L-62).

A token is 160 bits of chance, so that one round of SHA-256 hides it well. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, insert, select

from . import audit
from .schema import tokens, users

if TYPE_CHECKING:
    from random import Random

    from sqlalchemy import Connection, Row

    from ...licensing.client import ClientKind
    from .unit import Unit

Kind = Literal["administrator", "sub_administrator", "user"]


class TokenError(Exception):
    """A token that cannot be made: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token is good for. `name` is its own, and what the audit log calls who comes with it.

    `locations` are those of a sub-administrator; `user` and `client` whose and what kind of client's it is.
    """

    name: str
    kind: Kind
    locations: tuple[str, ...] = ()
    user: str | None = None
    client: ClientKind | None = None
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class TokenCreated:
    """There is a new token."""

    token: str
    kind: Kind
    locations: tuple[str, ...]
    user: str | None
    client: ClientKind | None

    @classmethod
    def of(cls, token: Token) -> TokenCreated:
        """The event of the making of `token`."""
        return cls(token.name, token.kind, token.locations, token.user, token.client)


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    """A token is good for nothing any more."""

    token: str


class Tokens:
    """The tokens of one store."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def create(
        self, token: Token, random: Random, *, actor: str, at: float, dry_run: bool = False
    ) -> str:
        """Make a token with these rights and return the secret, drawn from `random`.

        `at` (Unix time) is when, whatever `token` says. With `dry_run` nothing is made, and the secret opens
        nothing. Raises `TokenError` for a name that is taken, a user who is not there, and rights that do not fit
        the kind.
        """
        _require_fitting(token)
        secret = f"{random.getrandbits(160):040x}"

        def work(connection: Connection) -> None:
            if connection.execute(select(tokens.c.number).where(tokens.c.name == token.name)).first():
                raise TokenError(f'the token "{token.name}" is there already; use another name or revoke it')
            known = select(users.c.name).where(users.c.name == token.user)
            if token.user is not None and connection.execute(known).first() is None:
                raise TokenError(f'the user "{token.user}" is not there; use the name of a user of the site')
            if dry_run:
                return
            row = {
                "hash": _hash(secret),
                "name": token.name,
                "kind": token.kind,
                "locations": list(token.locations),
                "user": token.user,
                "client": token.client,
                "created_at": at,
            }
            connection.execute(insert(tokens), row)
            audit.append(connection, [TokenCreated.of(token)], actor, at)

        await self._unit.run(work)
        return secret

    async def find(self, secret: str) -> Token | None:
        """The rights of whoever brings `secret`; None where it is no token, or no longer."""
        query = select(tokens).where(tokens.c.hash == _hash(secret))
        row = await self._unit.run(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _token(row)

    async def list(self) -> tuple[Token, ...]:
        """All tokens, oldest first."""
        query = select(tokens).order_by("number")
        return await self._unit.run(lambda connection: tuple(map(_token, connection.execute(query))))

    async def revoke(self, name: str, *, actor: str, at: float, dry_run: bool = False) -> bool:
        """Make the token of that name good for nothing, or with `dry_run` look for it; False where there is none."""

        def work(connection: Connection) -> bool:
            if dry_run:
                known = select(tokens.c.number).where(tokens.c.name == name)
                return connection.execute(known).first() is not None
            found = connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount > 0
            if found:
                audit.append(connection, [TokenRevoked(name)], actor, at)
            return found

        return await self._unit.run(work)


def _require_fitting(token: Token) -> None:
    if not token.name.strip() or token.name in _OTHERS:
        raise TokenError(f'a token cannot be called "{token.name}"; give a name that tells who comes with it')
    if (token.kind == "sub_administrator") != bool(token.locations):
        raise TokenError(f"a token of kind {token.kind} {_NEEDS[token.kind]}")
    if (token.kind == "user") != (token.user is not None and token.client is not None):
        raise TokenError(f"a token of kind {token.kind} {_NEEDS[token.kind]}")


_OTHERS = ("administrator", "server")
"""What the audit log calls others who change something: whoever has the server's own token, and the server itself."""

_NEEDS = {
    "administrator": "is good everywhere; name no locations, user or client",
    "sub_administrator": "is good for some locations; name them, and no user or client",
    "user": "is good for one user's client; name both, and no locations",
}


def _token(row: Row[tuple[object, ...]]) -> Token:
    values = row._asdict()
    del values["number"], values["hash"]
    return Token(**values | {"locations": tuple(values["locations"])})


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
