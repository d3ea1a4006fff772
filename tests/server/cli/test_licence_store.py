from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.acts import BindLine
from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.reading import stored_holdings
from ringfence.server.store.store import Store

from ..desks import AT, desk_of
from ..issued import issued
from .command import json_of, one_sentence, ringfence

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A store in which the line 100 holds a TAPI licence, and dora waits for Office Plus and Voicemail."""
    store = Store.open(tmp_path / "data", Opening(Site.sample("small"), at=AT))
    await desk_of(store).apply(BindLine("100"))
    store.close()
    return tmp_path / "data"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    file = tmp_path / "more.lic"
    file.write_bytes(issued("more", office_plus=10))
    return file


def test_an_import_counts_and_tells_who_gains(data: Path, package: Path) -> None:
    shown = ringfence("licence", "import", "--data", data, package).stdout
    assert shown.splitlines() == [
        "Office Plus: bought 2 → 12.",
        "dora gains licences: office_plus.",
        "dora gains functions: softphone.",
    ]
    told = json_of("licence", "overview", "--data", data)
    assert (told["pools"]["office_plus"]["bought"], told["developer"]) == (12, True)
    assert ringfence("audit", "verify", "--data", data).exit_code == 0
    export = ringfence("audit", "export", "--data", data).stdout
    assert "administrator,package.imported" in export
    assert ringfence("licence", "import", "--data", data, package).stdout == "Nothing changes for any user.\n"


def test_a_dry_run_tells_the_same_and_changes_nothing(data: Path, package: Path) -> None:
    before = stored_holdings(data)
    foretold = json_of("licence", "import", "--data", data, package, "--dry-run")
    assert stored_holdings(data) == before
    made = json_of("licence", "import", "--data", data, package)
    assert (foretold.pop("dry_run"), made.pop("dry_run")) == (True, False)
    assert foretold["users"] == made["users"]
    assert [one for one in made["events"] if one["event"] == "licence.assigned"] == [
        one for one in foretold["events"] if one["event"] == "licence.assigned"
    ]


def test_of_many_packages_all_are_imported_or_none(data: Path, package: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.lic"
    bad.write_bytes(issued("old", until="2021-01-01", fax=1))
    told = one_sentence("licence", "import", "--data", data, package, bad)
    assert f"{bad}: The package old expired with 2021-01-01; ask its issuer for a new one." in told
    assert stored_holdings(data).packages == ()
    bad.write_bytes(issued("more", fax=1))
    told = one_sentence("licence", "import", "--data", data, package, bad)
    assert f'{bad}: another package with the id "more" was imported before' in told


def test_a_line_gives_its_licence_back_once(data: Path) -> None:
    """A-09"""
    assert json_of("licence", "release", "100", "--data", data, "--dry-run")["events"][-1] == {
        "event": "line.released",
        "data": {"line": "100"},
    }
    assert ringfence("licence", "release", "100", "--data", data).exit_code == 0
    assert stored_holdings(data).lines == ()
    assert 'the line "100" holds no TAPI licence' in one_sentence("licence", "release", "100", "--data", data)


def test_while_a_server_holds_the_store_only_dry_runs_and_questions_are_answered(
    data: Path, package: Path
) -> None:
    store = Store.open(data, Opening(None, at=AT))
    try:
        for words, route in (
            (("licence", "import", package), "POST /api/v1/licences/packages"),
            (("licence", "release", "100"), "DELETE /api/v1/licences/lines/LINE"),
            (("token", "create", "ops"), "POST /api/v1/tokens"),
            (("token", "revoke", "ops"), "DELETE /api/v1/tokens/NAME"),
        ):
            told = one_sentence(*words, "--data", data)
            assert (
                f"{data}: a server is using this data; ask it by {route} over HTTP, or stop it first" in told
            )
        assert json_of("licence", "import", package, "--data", data, "--dry-run")["users"]
        assert ringfence("token", "create", "ops", "--data", data, "--dry-run").exit_code == 0
        assert json_of("token", "list", "--data", data) == []
    finally:
        store.close()


@pytest.mark.parametrize(
    "words",
    [
        ("licence", "import", "PACKAGE"),
        ("licence", "import", "PACKAGE", "--dry-run"),
        ("licence", "release", "100"),
        ("token", "create", "ops"),
        ("token", "list"),
        ("token", "revoke", "ops"),
    ],
)
def test_where_there_is_no_store_none_is_made(words: tuple[str, ...], package: Path, tmp_path: Path) -> None:
    line = (str(package) if word == "PACKAGE" else word for word in words)
    told = one_sentence(*line, "--data", tmp_path / "none")
    assert "there is no store; name the directory that was given to serve --data" in told
    assert not (tmp_path / "none").exists()
