"""Tokens over HTTP: an administrator makes, lists and revokes them (L-34 to L-37, L-61, L-62)."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from ...licensing.client import ClientKind
from ..site import require
from ..store.tokens import Kind, Token, TokenCreated, TokenRevoked
from .changes import Changes, told
from .operation import API, STRICT, Routes
from .problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to make: a sub-administrator's has `locations`, a user's the `user` and the kind of his `client`.

    `name` is what the audit log calls whoever comes with it.
    """

    __pydantic_config__: ClassVar["Mapping[str, object]"] = STRICT
    name: Annotated[str, Field(pattern=r"^[\w.+~@-]{1,64}$")]
    kind: Kind
    locations: tuple[str, ...] = ()
    user: str | None = None
    client: ClientKind | None = None


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A token, without its secret."""

    name: str
    kind: Kind
    locations: tuple[str, ...]
    user: str | None
    client: ClientKind | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TokenMade(TokenEntry):
    """A new token; `token` is its secret, which is told this once."""

    token: str


@routes.post(f"{API}/tokens", status=HTTPStatus.CREATED)
async def create_token(pbx: "Pbx", who: Token, new: NewToken, dry_run: bool = False) -> TokenMade | Changes:
    """Make a token; the answer is the only one that has its secret."""
    for name in new.locations:
        require.location(pbx.administration.directory, name, "request.invalid")
    token = Token(new.name, new.kind, new.locations, new.user, new.client, pbx.clock.today().timestamp())
    secret = await pbx.store.tokens.create(
        token, pbx.random, actor=who.name, at=token.created_at, dry_run=dry_run
    )
    if dry_run:
        return Changes((), told(TokenCreated.of(token)))
    return TokenMade(**_entry(token), token=secret)


@routes.get(f"{API}/tokens")
async def list_tokens(pbx: "Pbx") -> tuple[TokenEntry, ...]:
    """List the tokens, oldest first, without the one that `serve` printed or was given."""
    return tuple(TokenEntry(**_entry(one)) for one in await pbx.store.tokens.list())


@routes.delete(f"{API}/tokens/{{name}}")
async def revoke_token(pbx: "Pbx", who: Token, name: str, dry_run: bool = False) -> Changes | None:
    """Make a token good for nothing."""
    now = pbx.clock.today().timestamp()
    if not await pbx.store.tokens.revoke(name, actor=who.name, at=now, dry_run=dry_run):
        raise ProblemError.not_found(f'There is no token "{name}".')
    return Changes((), told(TokenRevoked(name))) if dry_run else None


def _entry(token: Token) -> dict[str, Any]:
    return asdict(token) | {"created_at": datetime.fromtimestamp(token.created_at, UTC)}
