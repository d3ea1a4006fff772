from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.acts import MoveUser
from ringfence.server.store import audit
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store
from ringfence.server.store.tokens import Token, TokenError

from ..desks import AT, desk_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ringfence.server.site.site import Site

ROOT = Token("root", "administrator", created_at=AT)
ULM = Token("desk in Ulm", "sub_administrator", locations=("Ulm",), created_at=AT)
PHONE = Token("phone of anna", "user", user="anna", client="mobile", created_at=AT)


@pytest.fixture
def store(data: Path, site: Site) -> Iterator[Store]:
    store = Store.open(data, Opening(site, at=AT))
    yield store
    store.close()


@pytest.mark.parametrize("token", [ROOT, ULM, PHONE])
async def test_a_secret_finds_its_rights_again_even_after_a_restart(
    data: Path, site: Site, token: Token
) -> None:
    """L-34, L-35, L-62"""
    store = Store.open(data, Opening(site, at=AT))
    secret = await store.tokens.create(token, Random(1), actor="root", at=AT)
    assert await store.tokens.find(secret) == token
    store.close()
    again = Store.open(data, Opening(None, at=AT))
    assert await again.tokens.find(secret) == token
    assert await again.tokens.list() == (token,)
    again.close()


def everything_in(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.glob("ringfence.sqlite*"))


async def test_no_secret_is_stored_and_no_other_text_finds_a_token(data: Path, store: Store) -> None:
    secret = await store.tokens.create(ROOT, Random(1), actor="root", at=AT)
    assert len(secret) == 40
    for other in ("", secret[:-1], secret.upper(), f"{secret} "):
        assert await store.tokens.find(other) is None
    stored = everything_in(data)
    assert secret.encode() not in stored
    assert b"token.created" in stored


async def test_a_revoked_token_is_good_for_nothing_and_both_acts_are_audited(store: Store) -> None:
    secret = await store.tokens.create(ULM, Random(1), actor="root", at=AT)
    assert await store.tokens.revoke(ULM.name, actor="root", at=AT)
    assert await store.tokens.find(secret) is None
    assert not await store.tokens.revoke(ULM.name, actor="root", at=AT)
    lines = await store.unit.run(lambda connection: list(audit.export(connection, "csv")))
    assert [line.split(",")[2:4] for line in lines[-2:]] == [
        ["root", "token.created"],
        ["root", "token.revoked"],
    ]
    assert await store.unit.run(audit.verify) is None


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (ROOT, 'the token "root" is there already; use another name or revoke it'),
        (
            Token(" ", "administrator"),
            'a token cannot be called " "; give a name that tells who comes with it',
        ),
        (
            Token("x", "sub_administrator"),
            "a token of kind sub_administrator is good for some locations; name them, and no user or client",
        ),
        (
            Token("x", "administrator", locations=("Ulm",)),
            "a token of kind administrator is good everywhere; name no locations, user or client",
        ),
        (
            Token("x", "user", user="anna"),
            "a token of kind user is good for one user's client; name both, and no locations",
        ),
        (
            Token("x", "user", user="ana", client="web"),
            'the user "ana" is not there; use the name of a user of the site',
        ),
    ],
)
async def test_rights_that_do_not_fit_are_one_sentence(store: Store, token: Token, sentence: str) -> None:
    """L-61"""
    await store.tokens.create(ROOT, Random(1), actor="root", at=AT)
    with pytest.raises(TokenError) as caught:
        await store.tokens.create(token, Random(2), actor="root", at=AT)
    assert str(caught.value) == sentence


async def test_a_changed_user_keeps_his_tokens(store: Store) -> None:
    secret = await store.tokens.create(PHONE, Random(1), actor="root", at=AT)
    await desk_of(store).apply(MoveUser("anna", "Ulm", "Lager"))
    assert await store.tokens.find(secret) == PHONE
