from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

from ..issued import issued
from .command import json_of, one_sentence, ringfence

if TYPE_CHECKING:
    from typer.testing import Result

TEXT = """\
[entitlements]
server = 1
ip_channel = 2
auto_attendant = 1
office = 1
office_plus = 1
[[location]]
name = "Ulm/Süd"
functions = ["cti"]
[[location.group]]
name = "Plus"
functions = ["softphone"]
[[location]]
name = "Bonn"
functions = ["chat"]
[[user]]
name = "anna"
location = "Ulm/Süd"
group = "Plus"
extension = "100"
password = "a-1"
[[user]]
name = "ben"
location = "Ulm/Süd"
group = "Plus"
extension = "101"
password = "b-2"
[[user]]
name = "clara"
location = "Bonn"
extension = "102"
password = "c-3"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "firma.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(*words: object) -> Result:
    return ringfence("licence", *words)


def answer(*words: object) -> Any:
    return json_of("licence", *words)


def refusal(*words: object) -> str:
    return one_sentence("licence", *words)


def test_the_overview_has_the_agreed_shape(file: Path) -> None:
    overview = answer("overview", file)
    agreed = {"scheme_version", "pools", "users", "locations", "channels", "warnings"}
    assert set(overview) == agreed | {"developer", "packages", "modes", "contingents"}
    assert overview["pools"]["office"] == {"bought": 2, "required": 3, "assigned": 2, "missing": 1}
    assert overview["locations"]["Bonn"]["office"] == {"required": 1, "assigned": 0, "missing": 1}
    assert overview["channels"] == {"ip_channel": 2, "auto_attendant": 20, "data_sources": 10}
    assert [user["user"] for user in overview["users"]] == ["anna", "ben", "clara"]


def test_the_overview_of_a_store_is_that_of_its_site(file: Path, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data", Opening(Site.read(file), at=0.0))
    try:
        stored, of_file = answer("overview", "--data", tmp_path / "data"), answer("overview", file)
        assert stored.pop("modes").keys() == of_file.pop("modes").keys()  # since when it is short differs
        assert stored == of_file
    finally:
        store.close()


def test_a_person_reads_tables(file: Path) -> None:
    shown = run("overview", file).stdout
    assert "Office Plus" in shown
    assert "under_licensed" in shown
    assert "20 attendant channels" in shown


def test_explain_gives_the_chain_as_data_and_as_sentences(file: Path) -> None:
    explained = answer("explain", file, "ben", "softphone")
    assert explained["reason"] == "license.office_plus.under_licensed"
    assert False in [step["passed"] for step in explained["steps"]]
    assert explained["text"] in run("explain", file, "ben", "softphone").stdout


def test_what_if_tells_who_would_gain(file: Path) -> None:
    bought = answer("what-if", file, "--add", "office_plus=1")
    assert [user["user"] for user in bought["users"]] == ["ben", "clara"]
    assert "Office Plus" in run("what-if", file, "--add", "office_plus=1").stdout
    assert run("what-if", file).stdout == "Nothing changes for any user.\n"


@pytest.mark.parametrize("place", ["Ulm/Süd/Plus", "Ulm/Süd", "Bonn"])
def test_a_location_with_a_slash_can_be_moved_to(file: Path, place: str) -> None:
    moved = answer("what-if", file, "--move", f"clara={place}", "--add", "office=5", "--add", "office_plus=5")
    assert "clara" in [user["user"] for user in moved["users"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["overview", "FILE", "--licence", "order.lic"],
            "order.lic: the licence package cannot be read (No such",
        ),
        (["explain", "FILE", "anna"], "name a site file, a user and a function; or, with --data, a user and"),
        (
            ["what-if", "FILE", "--switch", "Bonn=fax"],
            '--switch "Bonn=fax" is not LOCATION[/GROUP]=+KEY,-KEY',
        ),
        (
            ["what-if", "FILE", "--switch", "Bonn=-fux"],
            'the function "fux" is not known; did you mean "fax"?',
        ),
        (
            ["what-if", "FILE", "--switch", "Bon=-fax"],
            'the location "Bon" is not there; did you mean "Bonn"?',
        ),
        (["what-if", "FILE", "--delete", "ana"], 'the user "ana" is not there; did you mean "anna"?'),
        (
            ["what-if", "FILE", "--at", "soon"],
            '--at "soon" is neither a day nor an instant; write e.g. 2027-12-31',
        ),
        (
            ["what-if", "FILE", "--at", "9999-12-31"],
            "--at 9999-12-31 is past the year 2999; name an earlier moment",
        ),
        (
            ["what-if", "FILE", "--add", "office=-9"],
            "9 of office cannot be given back; no more than 1 are bought",
        ),
        (["overview"], "name either a site file or, with --data, the directory of a store"),
        (
            ["overview", "FILE", "--data", "."],
            "name either a site file or, with --data, the directory of a store",
        ),
        (["overview", "--data", "/dev/null"], "/dev/null: there is no store; name the directory"),
        (["overview", "nowhere.toml"], "nowhere.toml: the site file is not there; check the path"),
        (["explain", "FILE", "ana", "cti"], 'the user "ana" is not there; did you mean "anna"?'),
        (
            ["explain", "FILE", "anna", "softfone"],
            'the function "softfone" is not known; did you mean "softphone"?',
        ),
        (
            ["what-if", "FILE", "--add", "office"],
            '--add "office" is not KEY=N; write e.g. --add office_plus=10',
        ),
        (["what-if", "FILE", "--add", "office=1_0"], '--add "office=1_0" is not KEY=N; write e.g.'),
        (["what-if", "FILE", "--add", "offis=1"], 'the licence "offis" is not known; did you mean "office"?'),
        (["what-if", "FILE", "--move", "anna"], '--move "anna" is not USER=LOCATION/GROUP; write e.g.'),
        (["what-if", "FILE", "--move", "anna=Bonn/Plus"], 'the group "Plus" is not there in "Bonn"'),
        (["what-if", "FILE", "--move", "anna=Köln"], 'the location "Köln" is not there'),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(file: Path, words: list[str], sentence: str) -> None:
    assert sentence in refusal(*(str(file) if word == "FILE" else word for word in words))


def test_a_bad_site_file_names_file_line_and_remedy(file: Path) -> None:
    file.write_text(TEXT.replace("ip_channel", "ip_chanel"), encoding="utf-8")
    assert refusal("overview", file).endswith(
        'firma.toml, line 3: the licence "ip_chanel" is not known; did you mean "ip_channel"?\n'
    )


def test_what_if_tells_of_functions_switched_users_deleted_and_packages(file: Path, tmp_path: Path) -> None:
    switched = answer("what-if", file, "--switch", "Bonn=-chat,+voicemail", "--add", "voicemail=1")
    (clara,) = switched["users"]
    assert (clara["functions_gained"], clara["settings_deleted"]) == (["voicemail"], ["chat"])
    deleted = answer("what-if", file, "--delete", "anna")
    assert [one["user"] for one in deleted["users"] if one["functions_gained"]] == ["ben", "clara"]
    package = tmp_path / "more.lic"
    package.write_bytes(issued("more", until="2998-12-31", office_plus=1))
    assert [one["user"] for one in answer("what-if", file, "--licence", package)["users"]] == ["ben", "clara"]
    assert answer("what-if", file, "--licence", package, "--at", "2999-01-01")["users"] == []


def test_an_inheriting_group_gets_a_list_of_its_own_when_it_is_switched(file: Path) -> None:
    """L-04"""
    off = answer("what-if", file, "--switch", "Ulm/Süd/Plus=-softphone", "--switch", "Ulm/Süd/Plus=+cti")
    anna = off["users"][0]
    assert (anna["functions_gained"], anna["functions_lost"]) == (["cti"], ["softphone"])


def test_explain_and_what_if_speak_german(file: Path) -> None:
    shown = run("explain", file, "ben", "softphone", "--language", "de").stdout
    assert "Softphone ist für Gruppe Plus in Ulm/Süd eingeschaltet." in shown
    shown = run("what-if", file, "--add", "office_plus=1", "--language", "de").stdout
    assert "ben bekommt Lizenzen: office_plus." in shown
    assert "Lizenzen, vorher → nachher" in shown


def test_a_mode_that_tolerates_is_in_the_explanation_of_file_and_store(file: Path, tmp_path: Path) -> None:
    file.write_text('[licensing]\nmode = "warn"\n' + TEXT, encoding="utf-8")
    assert answer("explain", file, "ben", "softphone")["tolerated"] == "warn"
    Store.open(tmp_path / "data", Opening(Site.read(file), at=0.0)).close()
    assert answer("explain", "ben", "softphone", "--data", tmp_path / "data")["tolerated"] == "warn"


def test_the_developer_key_is_shown_wherever_its_packages_count(file: Path, tmp_path: Path) -> None:
    package = tmp_path / "more.lic"
    package.write_bytes(issued("more", office=5))
    told = answer("overview", file, "--licence", package)
    assert told["developer"]
    assert [one["developer"] for one in told["packages"]] == [True]
    assert told["pools"]["office"]["bought"] == 7
    shown = run("overview", file, "--licence", package).stdout
    assert "developer" in shown[shown.index("Licence packages") :]


def test_an_unreadable_site_file_is_told_by_whoever_reads_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = Path.read_bytes

    def locked(path: Path) -> bytes:
        if path == file:
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "read_bytes", locked)
    told = f"{file}: the site file cannot be read (Permission denied); check its permissions\n"
    assert refusal("overview", file).endswith(told)
    assert one_sentence("serve", file).endswith(told)
