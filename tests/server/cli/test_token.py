from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

from ..desks import AT
from .command import json_of, one_sentence, ringfence

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    Store.open(tmp_path / "data", Opening(Site.sample("small"), at=AT)).close()
    return tmp_path / "data"


def test_the_secret_that_is_printed_opens_what_the_token_is_for(data: Path) -> None:
    """L-34 to L-37, L-61"""
    root = ringfence("token", "create", "root", "--data", data).stdout.strip()
    site = ringfence("token", "create", "site", "--location", "Haus", "--data", data).stdout.strip()
    anna = json_of("token", "create", "a1", "--user", "anna", "--client", "mobile", "--data", data)["token"]
    store = Store.open(data, Opening(None, at=AT))
    try:
        found = [asyncio.run(store.tokens.find(secret)) for secret in (root, site, anna)]
    finally:
        store.close()
    told = [(one.name, one.kind, one.locations, one.user, one.client) for one in found if one is not None]
    assert told == [
        ("root", "administrator", (), None, None),
        ("site", "sub_administrator", ("Haus",), None, None),
        ("a1", "user", (), "anna", "mobile"),
    ]


def test_tokens_are_listed_without_secrets_and_revoked(data: Path) -> None:
    secret = ringfence("token", "create", "root", "--data", data).stdout.strip()
    ringfence("token", "create", "a1", "--user", "anna", "--client", "web", "--data", data)
    shown = ringfence("token", "list", "--data", data).stdout
    assert shown == "root: administrator, everywhere\na1: user, anna, web\n"
    assert secret not in ringfence("token", "list", "--data", data, "--json").stdout
    dry = ringfence("token", "revoke", "root", "--data", data, "--dry-run").stdout
    assert "This was a dry run: nothing was changed." in dry
    assert len(json_of("token", "list", "--data", data)) == 2
    assert ringfence("token", "revoke", "root", "--data", data).exit_code == 0
    assert [one["name"] for one in json_of("token", "list", "--data", data)] == ["a1"]
    assert 'there is no token "root"; ringfence token list' in one_sentence(
        "token", "revoke", "root", "--data", data
    )
    assert "token.revoked" in ringfence("audit", "export", "--data", data).stdout


def test_a_dry_run_makes_no_token(data: Path) -> None:
    told = json_of("token", "create", "root", "--data", data, "--dry-run")
    assert told["events"][0]["event"] == "token.created"
    assert "token" not in told
    assert json_of("token", "list", "--data", data) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--user", "ana", "--client", "web"], 'the user "ana" is not there'),
        (["--user", "anna"], "a token of kind user is good for one user's client; name both"),
        (["--client", "web"], "a token of kind user is good for one user's client; name both"),
        (["--user", "anna", "--client", "fax"], "Invalid value for '--client'"),
        (["--location", "Hof"], 'the location "Hof" is not there'),
        (["--location", "Haus", "--user", "anna", "--client", "web"], "a token of kind user is good for one"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_token_that_cannot_be_is_one_sentence(
    words: list[str], sentence: str, dry: tuple[str, ...], data: Path
) -> None:
    assert sentence in one_sentence("token", "create", "new", *words, "--data", data, *dry)
