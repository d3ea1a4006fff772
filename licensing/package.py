"""Licence packages: signed orders that add up, each one readable JSON object that counts only byte for byte as issued.

`issue` makes one, `read` takes it apart and `verify` tells whether it may be imported. The canonical form has sorted
names, no blanks, no escapes that JSON does not ask for and no line end; the Ed25519 signature (RFC 8032) is of the
same object without its `signature`.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .catalogue import LICENCES, MOST_OF_A_LICENCE
from .keys import DEVELOPER_KEY, is_signed, key_id, public_half, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Reason = Literal["package.signature", "package.expired", "package.not_yet_valid", "package.invalid"]
Validity = Literal["valid", "expired", "not_yet_valid"]

MOST_BYTES = 65_536
_FIELDS = ("customer", "id", "issued", "key", "licences", "not_after", "not_before", "signature", "version")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DAY, _INSTANT = (
    re.compile(r"[0-9]{4}(-[0-9]{2}){2}"),
    re.compile(r"[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}Z"),
)
_AGAIN = "get the file again from its issuer"


class PackageError(Exception):
    """A package that does not count: a reason code of `licensing.reasons`, and one sentence with the remedy.

    `what` is what alone is wrong with the contents of a `package.invalid`.
    """

    def __init__(self, reason: Reason, sentence: str, what: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.what = what

    def about(self, file: str) -> PackageError:
        """The same of the package in `file`, which may be empty."""
        return PackageError(self.reason, f"{file}: {self.sentence}") if file else self


@dataclass(frozen=True, slots=True)
class Package:
    """What a package says. `key` is the id of the key that claims to have signed it, `data` all of its bytes.

    `issued`, `not_before` and `not_after` (None: for ever) are a day, `2027-12-31`, or an instant of it,
    `2027-12-31T18:00:00Z`; a day ends at midnight UTC, and `not_after` counts to its end.
    """

    id: str
    customer: str
    key: str
    licences: Mapping[str, int] = field(hash=False)
    issued: str
    not_before: str
    not_after: str | None
    version: int
    signature: bytes = field(repr=False)
    data: bytes = field(repr=False)

    @property
    def developer(self) -> bool:
        """Whether the developer key signed it, which anybody can."""
        return self.key == key_id(DEVELOPER_KEY)

    @property
    def begins_at(self) -> datetime:
        """The first instant at which it counts."""
        return _instant("not_before", self.not_before)

    @property
    def ends_at(self) -> datetime | None:
        """The first instant at which it counts no more."""
        return None if self.not_after is None else _end("not_after", self.not_after)

    def state(self, now: datetime) -> Validity:
        """Whether it counts at `now`."""
        if now < self.begins_at:
            return "not_yet_valid"
        return "valid" if self.ends_at is None or now < self.ends_at else "expired"


def issue(
    private_key: str,
    *,
    id: str,  # noqa: A002 - the name of the field
    customer: str,
    licences: Mapping[str, int],
    issued: str,
    not_before: str | None = None,
    not_after: str | None = None,
) -> bytes:
    """Sign a package; without `not_before` it counts from `issued` on.

    Raises `ValueError` for a key that is none, and `PackageError` for contents that `read` would refuse.
    """
    content: dict[str, object] = {
        "customer": customer,
        "id": id,
        "issued": issued,
        "key": key_id(public_half(private_key)),
        "licences": dict(licences),
        "not_after": not_after,
        "not_before": issued if not_before is None else not_before,
        "version": 1,
    }
    signature = sign(private_key, _canonical(content))
    data = _canonical({**content, "signature": base64.b64encode(signature).decode()})
    read(data)
    return data


def read(data: bytes) -> Package:
    """Take a package apart; raises `PackageError` with `package.invalid` for what was not issued like this."""
    if len(data) > MOST_BYTES:
        raise _invalid(f"no package has more than {MOST_BYTES} bytes")
    try:
        content = json.loads(
            data.decode(),
            object_pairs_hook=_without_repetition,
            parse_int=_whole_number,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, _NoPackageError) else "it is not one JSON object in UTF-8"
        raise _invalid(what) from None
    if not isinstance(content, dict):
        raise _invalid("it is not one JSON object in UTF-8")
    _check_fields(content)
    if content["version"] != 1:
        raise _invalid(f"it is of version {content['version']}, and this Ringfence reads version 1")
    _check_texts(content)
    _check_licences(content["licences"])
    if _canonical(content) != data:
        raise _invalid("it has blanks, escapes or an order of names that no package is issued with")
    try:
        signature = base64.b64decode(content["signature"], validate=True)
    except ValueError:
        signature = b""
    if len(signature) != 64 or base64.b64encode(signature).decode() != content["signature"]:
        raise _invalid("its signature is not 64 bytes in base64")
    return Package(**{**content, "signature": signature}, data=data)


def verify(package: Package, trusted: Iterable[str], now: datetime) -> None:
    """Make sure that `package` may be imported: signed by one of the public keys `trusted`, and valid at `now`.

    Raises `PackageError`.
    """
    public = next((key for key in trusted if key_id(key) == package.key), None)
    if public is None:
        raise PackageError(
            "package.signature",
            f"The package {package.id} is signed by the key {package.key}, which is not trusted; add the issuer's "
            "public key to trusted_keys.",
        )
    content = json.loads(package.data)
    del content["signature"]
    if not is_signed(public, package.signature, _canonical(content)):
        raise PackageError(
            "package.signature",
            f"The package {package.id} was changed after it was issued: its signature is wrong; {_AGAIN}.",
        )
    state = package.state(now)
    if state == "expired":
        raise PackageError(
            "package.expired",
            f"The package {package.id} expired with {package.not_after}; ask its issuer for a new one.",
        )
    if state == "not_yet_valid":
        raise PackageError(
            "package.not_yet_valid",
            f"The package {package.id} counts from {package.not_before} on; import it then, or check the clock.",
        )


class _NoPackageError(ValueError):
    pass


def _invalid(what: str) -> PackageError:
    return PackageError("package.invalid", f"The licence package does not count: {what}; {_AGAIN}.", what)


def _canonical(content: Mapping[str, object]) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NoPackageError(f"the name {twice!a} is in it twice")
    return content


def _whole_number(text: str) -> int:
    return int(text) if len(text) <= 9 else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise _NoPackageError(f"{text[:20]} is not a whole number of at most nine digits")


def _check_fields(content: Mapping[str, Any]) -> None:
    unknown = sorted(set(content) - set(_FIELDS))
    if unknown:
        raise _invalid(f"the field {unknown[0][:64]!a} is not known")
    for name in _FIELDS:
        if name not in content:
            raise _invalid(f"the field {name!r} is missing")
        kind = {"licences": dict, "version": int}.get(name, str)
        if type(content[name]) is not kind and (name, content[name]) != ("not_after", None):
            raise _invalid(f"the field {name!r} has the wrong type of value")


def _check_texts(content: Mapping[str, Any]) -> None:
    customer = content["customer"]
    if not 1 <= len(customer) <= 200 or not customer.isprintable():
        raise _invalid("the customer is not a text of 1 to 200 printable characters")
    if not _ID.fullmatch(content["id"]):
        raise _invalid("the id is not 1 to 64 letters, digits and . _ -")
    if not re.fullmatch(r"[0-9a-f]{16}", content["key"]):
        raise _invalid("the key id is not 16 lower-case hexadecimal digits")
    _instant("issued", content["issued"])
    begins = _instant("not_before", content["not_before"])
    if content["not_after"] is not None and _end("not_after", content["not_after"]) <= begins:
        raise _invalid(
            f"it would end with {content['not_after']} before it begins with {content['not_before']}"
        )


def _check_licences(licences: Mapping[str, Any]) -> None:
    if not licences:
        raise _invalid("there is no licence in it")
    for key, count in licences.items():
        if key not in LICENCES:
            raise _invalid(f"there is no licence {key[:64]!a}; known are {', '.join(LICENCES)}")
        if type(count) is not int or not 1 <= count <= MOST_OF_A_LICENCE:
            raise _invalid(f"the number of {key} licences is not 1 to {MOST_OF_A_LICENCE}")


def _instant(name: str, text: str) -> datetime:
    """The first instant of a day, or the instant; years after 9998 have no next day, and none needs them."""
    if _DAY.fullmatch(text) or _INSTANT.fullmatch(text):
        try:
            at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            raise _invalid(f"{name} = {text} is not in the calendar") from None
        if at.year < 9999:
            return at
        raise _invalid(f"{name} = {text} is past the year 9998; without an end, not_after is null")
    raise _invalid(f"{name} is neither a day such as 2027-12-31 nor an instant such as 2027-12-31T18:00:00Z")


def _end(name: str, text: str) -> datetime:
    at = _instant(name, text)
    return at + timedelta(days=1) if _DAY.fullmatch(text) else at
