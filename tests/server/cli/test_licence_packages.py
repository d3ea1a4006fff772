from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ringfence.licensing.keys import DEVELOPER_KEY
from ringfence.licensing.package import read

from ..issued import issued
from .command import json_of, one_sentence, ringfence


@pytest.fixture
def key(tmp_path: Path) -> Path:
    assert ringfence("licence", "keygen", tmp_path / "issuer").exit_code == 0
    return tmp_path / "issuer"


@pytest.fixture
def package(key: Path, tmp_path: Path) -> Path:
    """An order of 100 Office and 50 Office Plus, signed by `key`."""
    out = tmp_path / "order.lic"
    words = ("--key", key, "--add", "office=100", "--add", "office_plus=50", "--until", "2998-12-31")
    assert (
        ringfence("licence", "issue", *words, "--id", "o-1", "--customer", "Firma", "--out", out).exit_code
        == 0
    )
    return out


def test_a_new_key_is_for_its_owner_only_and_nothing_is_written_over(key: Path) -> None:
    private, public = key.read_text(encoding="ascii"), Path(f"{key}.pub").read_text(encoding="ascii")
    assert key.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"ed25519-private:[0-9a-f]{64}\n", private)
    assert re.fullmatch(r"ed25519:[0-9a-f]{64}\n", public)
    assert f"{key}.pub is there already and is kept; name another file" in one_sentence(
        "licence", "keygen", key
    )
    Path(f"{key}.pub").unlink()
    assert f"{key} is there already and is kept" in one_sentence("licence", "keygen", key)
    assert key.read_text(encoding="ascii") == private


def test_what_was_issued_is_verified_by_the_key_that_signed_it(key: Path, package: Path) -> None:
    """L-11"""
    assert '"office":100' in package.read_text(encoding="utf-8")
    told = json_of("licence", "verify", package, "--trust", f"{key}.pub")
    assert told["licences"] == {"office": 100, "office_plus": 50}
    assert (told["id"], told["customer"], told["not_after"]) == ("o-1", "Firma", "2998-12-31")
    assert (told["developer"], told["state"]) == (False, "valid")
    shown = ringfence("licence", "verify", package, "--trust", f"{key}.pub").stdout
    assert "Package o-1 for Firma: 100 office, 50 office_plus" in shown


def test_the_developer_key_signs_and_is_shown_as_such(tmp_path: Path) -> None:
    out = tmp_path / "dev.lic"
    issuing = ringfence("licence", "issue", "--key", "developer", "--add", "office=1", "--out", out)
    assert "signed by the developer key, as anybody can" in issuing.stdout
    assert "signed by the developer key, as anybody can" in ringfence("licence", "verify", out).stdout
    assert json_of("licence", "verify", out)["developer"]
    assert read(out.read_bytes()).not_after is None


def test_a_package_may_be_issued_anew_but_never_over_a_key(key: Path, package: Path) -> None:
    words = ("licence", "issue", "--key", key, "--add", "fax=1", "--until", "2998-12-31", "--out")
    assert ringfence(*words, package).exit_code == 0
    assert json_of("licence", "verify", package, "--trust", f"{key}.pub")["licences"] == {"fax": 1}
    assert f"{key} is there already and is no licence package; name another file" in one_sentence(*words, key)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--add", "office=-1", "--until", "2027-12-31"],
            "the number of office licences is not 1 to 1000000",
        ),
        (["--add", "office=1", "--until", "9999-12-31"], "not_after = 9999-12-31 is past the year 9998"),
        (["--add", "office=1", "--until", "2027-02-30"], "not_after = 2027-02-30 is not in the calendar"),
        (["--add", "offis=1", "--until", "2027-12-31"], "there is no licence 'offis'"),
        (["--add", "office=1", "--from", "2028-01-01", "--until", "2027-12-31"], "before it begins"),
        (["--add", "office=1", "--id", "ö"], "the id is not 1 to 64 letters"),
        (["--add", "office"], '--add "office" is not KEY=N'),
    ],
)
def test_what_no_package_holds_is_not_issued(words: list[str], sentence: str, tmp_path: Path) -> None:
    told = one_sentence("licence", "issue", "--key", "developer", *words, "--out", tmp_path / "out.lic")
    assert sentence in told
    assert "its issuer" not in told
    assert not (tmp_path / "out.lic").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["issue", "--key", "KEY.pub", "--add", "fax=1", "--out", "x"],
            "this is not a private key; it is one",
        ),
        (
            ["issue", "--key", "nowhere", "--add", "fax=1", "--out", "x"],
            "nowhere: the key cannot be read (No such",
        ),
        (
            ["issue", "--key", "developer", "--add", "fax=1", "--out", "/nowhere/x"],
            "/nowhere/x cannot be written",
        ),
        (["verify", "nowhere.lic"], "nowhere.lic: the licence package cannot be read (No such file"),
        (["verify", "PACKAGE", "--trust", "KEY"], "this is not a public key; it is one line"),
        (["verify", "PACKAGE"], "which is not trusted; give the issuer's public key by --trust"),
        (["keygen", "/nowhere/key"], "/nowhere/key cannot be written (No such file or directory)"),
    ],
)
def test_a_file_that_will_not_do_is_named(words: list[str], sentence: str, key: Path, package: Path) -> None:
    files = {"KEY": str(key), "KEY.pub": f"{key}.pub", "PACKAGE": str(package)}
    assert sentence in one_sentence("licence", *(files.get(word, word) for word in words))


def _altered(data: bytes, **fields: object) -> bytes:
    content = json.loads(data) | fields
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


GOOD = issued("good", office=1)
BAD = {
    "one bit changed": (bytes([GOOD[0] ^ 1]) + GOOD[1:], "it is not one JSON object in UTF-8"),
    "one more": (GOOD.replace(b'"office":1', b'"office":2'), "was changed after it was issued"),
    "another's name": (
        _altered(GOOD, key="0" * 16),
        "signed by the key 0000000000000000, which is not trusted",
    ),
    "10 MB": (b" " * 10_000_000, "no package has more than 65536 bytes"),
    "a name twice": (GOOD.replace(b'"id"', b'"id":"x","id"'), "the name 'id' is in it twice"),
    "a negative count": (
        _altered(GOOD, licences={"office": -1}),
        "the number of office licences is not 1 to",
    ),
    "the year 9999": (_altered(GOOD, not_after="9999-01-01"), "not_after = 9999-01-01 is past the year 9998"),
    "a line end": (
        GOOD + b"\n",
        "it has blanks, escapes or an order of names that no package is issued with",
    ),
    "expired": (issued("old", until="2021-01-01", office=1), "The package old expired with 2021-01-01"),
    "nothing": (b"", "it is not one JSON object in UTF-8"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("command", ["verify", "overview", "serve"])
def test_a_package_that_does_not_count_is_one_sentence_that_names_its_file(
    command: str, bad: str, tmp_path: Path
) -> None:
    data, sentence = BAD[bad]
    file, site = tmp_path / "bad.lic", tmp_path / "site.toml"
    file.write_bytes(data)
    site.write_text('[[location]]\nname = "Ulm"\n', encoding="utf-8")
    words = {
        "verify": ["licence", "verify", file],
        "overview": ["licence", "overview", site, "--licence", file],
        "serve": ["serve", site, "--licence", file, "--data", tmp_path / "data"],
    }[command]
    told = one_sentence(*words)
    assert f"{file}: " in told
    assert sentence in told
    assert not (tmp_path / "data").exists()


def test_a_package_signed_anew_with_another_key_is_not_trusted(tmp_path: Path, package: Path) -> None:
    """The site trusts whom it names, and then the developer key no more."""
    site, mine = tmp_path / "site.toml", tmp_path / "mine.lic"
    ringfence("licence", "keygen", tmp_path / "other")
    trusted = (tmp_path / "other.pub").read_text(encoding="ascii").strip()
    site.write_text(f'[licensing]\ntrusted_keys = ["{trusted}"]\n', encoding="utf-8")
    assert "which is not trusted; add the issuer's public key to trusted_keys" in one_sentence(
        "licence", "overview", site, "--licence", package
    )
    mine.write_bytes(issued("dev", office=1))
    assert "which is not trusted" in one_sentence("licence", "overview", site, "--licence", mine)
    site.write_text(f'[licensing]\ntrusted_keys = ["{DEVELOPER_KEY}"]\n', encoding="utf-8")
    assert json_of("licence", "overview", site, "--licence", mine)["developer"]
