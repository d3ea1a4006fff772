"""Licence packages: readable, exact, and refused with one sentence for whatever is wrong with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.licensing.catalogue import LICENCES
from ringfence.licensing.keys import DEVELOPER_KEY, generate_key, key_id, public_half, trusted_keys
from ringfence.licensing.package import MOST_BYTES, PackageError, issue, read, verify
from ringfence.licensing.reasons import REASONS

KEY = generate_key(bytes(range(32)))
OTHER = generate_key(bytes(32))
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def package(**changes: Any) -> bytes:
    content: dict[str, Any] = {
        "id": "order-1",
        "customer": "Müller & Söhne",
        "licences": {"office": 100, "office_plus": 50},
        "issued": "2026-01-01",
        "not_after": "2027-12-31",
    }
    return issue(changes.pop("private_key", KEY.private), **{**content, **changes})


DATA = package()


def refused(data: bytes, now: datetime = NOW) -> PackageError:
    with pytest.raises(PackageError) as caught:
        verify(read(data), [KEY.public], now)
    assert caught.value.reason in REASONS
    sentence = caught.value.sentence
    assert sentence.endswith(".")
    assert sentence.isprintable()
    assert len(sentence) < 300
    return caught.value


def forged(**changes: object) -> bytes:
    """The package with some fields changed and written in the canonical form."""
    content = {**json.loads(DATA), **changes}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_package_is_one_readable_object_and_says_what_was_ordered() -> None:
    text = DATA.decode()
    assert '"office":100,"office_plus":50' in text
    assert "Müller & Söhne" in text
    assert list(json.loads(text)) == sorted(json.loads(text))
    told = read(DATA)
    verify(told, [OTHER.public, KEY.public], NOW)
    assert (told.id, told.customer, told.licences) == (
        "order-1",
        "Müller & Söhne",
        {"office": 100, "office_plus": 50},
    )
    assert (told.key, told.developer, told.not_before) == (key_id(KEY.public), False, "2026-01-01")


def test_every_bit_that_is_changed_is_refused() -> None:
    for index in range(len(DATA)):
        for bit in range(8):
            broken = bytearray(DATA)
            broken[index] ^= 1 << bit
            assert refused(bytes(broken)).reason in {"package.signature", "package.invalid"}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_package_are_refused(data: bytes) -> None:
    assert refused(data).reason == "package.invalid"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DATA)), st.sampled_from([b" ", b"\n", b"\\u0061", b"0", b"\xef\xbb\xbf", b","]))
def test_a_package_counts_only_byte_for_byte(at: int, more: bytes) -> None:
    assert refused(DATA[:at] + more + DATA[at:]).reason in {"package.signature", "package.invalid"}


def test_a_package_signed_again_by_another_key_is_refused() -> None:
    error = refused(package(private_key=OTHER.private))
    assert error.reason == "package.signature"
    assert key_id(OTHER.public) in error.sentence


def test_a_package_that_claims_another_key_is_refused() -> None:
    stolen = forged(
        key=key_id(KEY.public), signature=json.loads(package(private_key=OTHER.private))["signature"]
    )
    assert refused(stolen).reason == "package.signature"


def test_more_licences_than_were_signed_are_refused() -> None:
    error = refused(forged(licences={"office": 101, "office_plus": 50}))
    assert (error.reason, "order-1" in error.sentence) == ("package.signature", True)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b" " * 10_000_000, "no package has more than 65536 bytes"),
        (b"[" * MOST_BYTES, "it is not one JSON object in UTF-8"),
        (b"[1]", "it is not one JSON object in UTF-8"),
        (b"\xff", "it is not one JSON object in UTF-8"),
        (b'"\\ud800"', "it is not one JSON object in UTF-8"),
        (DATA.replace(b"}", b"}}"), "it is not one JSON object"),
        (DATA.replace(b'"office":100', b'"office":100,"office":100'), "the name 'office' is in it twice"),
        (DATA.replace(b'"version":1', b'"version":1,"version":1'), "the name 'version' is in it twice"),
        (DATA.replace(b":100", b":-100"), "the number of office licences is not 1 to 1000000"),
        (DATA.replace(b":100", b":0"), "the number of office licences is not 1 to 1000000"),
        (DATA.replace(b":100", b":1000001"), "the number of office licences is not 1 to 1000000"),
        (DATA.replace(b":100", b":true"), "the number of office licences is not 1 to 1000000"),
        (DATA.replace(b":100", b":100.0"), "100.0 is not a whole number of at most nine digits"),
        (DATA.replace(b":100", b":1e2"), "1e2 is not a whole number"),
        (DATA.replace(b":100", b":NaN"), "NaN is not a whole number"),
        (DATA.replace(b":100", b":" + b"9" * 5000), "99999999999999999999 is not a whole number"),
        (DATA.replace(b'"office"', b'"ofice"'), "there is no licence 'ofice'; known are server,"),
        (forged(licences={}), "there is no licence in it"),
        (forged(licences=[1]), "the field 'licences' has the wrong type"),
        (forged(note=1), "the field 'note' is not known"),
        (forged(**{"\x1b": 1}), "the field '\\x1b' is not known"),
        (forged(customer=None), "the field 'customer' has the wrong type"),
        (forged(customer="two\nlines"), "the customer is not a text of 1 to 200 printable characters"),
        (forged(customer=""), "the customer is not a text"),
        (forged(id="a b"), "the id is not 1 to 64 letters, digits and . _ -"),
        (forged(key="A" * 16), "the key id is not 16 lower-case hexadecimal digits"),
        (forged(version=2), "it is of version 2, and this Ringfence reads version 1"),
        (forged(version=True), "the field 'version' has the wrong type"),
        (forged(issued=None), "the field 'issued' has the wrong type"),
        (forged(not_after="9999-12-31"), "not_after = 9999-12-31 is past the year 9998; without an end"),
        (forged(not_before="9999-01-01"), "not_before = 9999-01-01 is past the year 9998"),
        (forged(not_after="2027-02-30"), "not_after = 2027-02-30 is not in the calendar"),
        (forged(not_after="31.12.2027"), "not_after is neither a day such as 2027-12-31 nor an instant"),
        (forged(not_after="２０２７-12-31"), "not_after is neither a day"),
        (forged(not_after="2027-12-31T10:00:00+01:00"), "not_after is neither a day"),
        (forged(not_after="2025-12-31"), "it would end with 2025-12-31 before it begins with 2026-01-01"),
        (forged(signature="AA=="), "its signature is not 64 bytes in base64"),
        (forged(signature=json.loads(DATA)["signature"].replace("=", "")), "its signature is not 64 bytes"),
        (forged(signature="-" * 88), "its signature is not 64 bytes in base64"),
        (json.dumps(json.loads(DATA)).encode(), "it has blanks, escapes or an order of names"),
        (DATA.replace("ü".encode(), b"\\u00fc"), "it has blanks, escapes or an order of names"),
        (DATA + b"\n", "it has blanks, escapes or an order of names"),
    ],
)
def test_what_was_never_issued_is_one_sentence(data: bytes, sentence: str) -> None:
    error = refused(data)
    assert error.reason == "package.invalid"
    assert sentence in error.sentence


def test_a_field_that_is_missing_is_named() -> None:
    for name in json.loads(DATA):
        content = json.loads(DATA)
        del content[name]
        assert f"the field '{name}' is missing" in refused(json.dumps(content).encode()).sentence


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), "not_yet_valid"),
        (datetime(2026, 1, 1, tzinfo=UTC), "valid"),
        (datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), "valid"),
        (datetime(2028, 1, 1, tzinfo=UTC), "expired"),
    ],
)
def test_a_package_counts_from_its_first_day_to_the_end_of_its_last(now: datetime, state: str) -> None:
    assert read(DATA).state(now) == state
    if state == "valid":
        verify(read(DATA), [KEY.public], now)
    else:
        assert refused(DATA, now).reason == f"package.{state}"


def test_validity_may_be_told_to_the_second_or_be_for_ever() -> None:
    exact = read(package(not_before="2026-01-01T08:00:00Z", not_after="2026-01-01T08:00:05Z"))
    assert exact.begins_at == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert exact.ends_at == datetime(2026, 1, 1, 8, 0, 5, tzinfo=UTC)
    lasting = read(package(not_after=None))
    assert lasting.ends_at is None
    assert lasting.state(datetime(9999, 12, 31, tzinfo=UTC)) == "valid"
    assert read(package(not_after="9998-12-31")).ends_at == datetime(9999, 1, 1, tzinfo=UTC)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(LICENCES)), st.integers(1, 1_000_000), min_size=1),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200),
)
def test_what_is_issued_is_read_again(licences: dict[str, int], customer: str) -> None:
    told = read(package(licences=licences, customer=customer))
    verify(told, [KEY.public], NOW)
    assert (dict(told.licences), told.customer) == (licences, customer)


@pytest.mark.parametrize("licences", [{}, {"office": 0}, {"office": -1}, {"ofice": 1}])
def test_what_would_not_count_is_not_issued(licences: dict[str, int]) -> None:
    with pytest.raises(PackageError):
        package(licences=licences)


def test_the_developer_key_comes_along_and_is_marked() -> None:
    folder = files("ringfence.fixtures") / "keys"
    private = (folder / "developer.key").read_text(encoding="utf-8")
    public = (folder / "developer.pub").read_text(encoding="utf-8")
    assert public.strip() == public_half(private) == DEVELOPER_KEY
    told = read(package(private_key=private))
    verify(told, trusted_keys(()), NOW)
    assert told.developer


def test_keys_that_a_site_names_take_the_place_of_the_developer_key() -> None:
    assert trusted_keys(()) == (DEVELOPER_KEY,)
    assert trusted_keys((KEY.public,)) == (KEY.public,)


def test_a_private_key_is_never_taken_for_a_public_one_and_never_shown() -> None:
    for ask, text in ((key_id, KEY.private), (public_half, KEY.public), (key_id, "ed25519:" + "A" * 64)):
        with pytest.raises(ValueError, match="this is not a") as caught:
            ask(text)
        assert text not in str(caught.value)
    assert KEY.private not in repr(KEY)
    with pytest.raises(ValueError, match="32 random bytes, not from 5"):
        generate_key(b"short")
