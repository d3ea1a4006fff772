"""Personal settings as features declare them: which there are, what their values look like, what to write instead.

A feature's `settings` names its own in `PERSONAL`; `server.site.declared` joins them. The site file, the API and every
other change of a setting are read by the declaration, and the feature gets the typed value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from .conditions.fault import ConditionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

T = TypeVar("T")

STRICT: Final[Mapping[str, object]] = {"extra": "forbid", "strict": True}
"""The `__pydantic_config__` of a dataclass that is the value of a setting: no unknown key, no other type."""
MOST_CHARACTERS: Final = 65_536
"""The longest value, as JSON."""


class SettingError(Exception):
    """A value that a setting cannot have: what is wrong, and the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Declaration(Generic[T]):
    """A personal setting `key` of `function`; a value of it is JSON that can be read as `shape`, strictly.

    `wanted` ends the sentence "write …". `read` makes the typed value of what has that shape, where that is not the
    value itself; what is wrong it tells by a ValueError, as does the `__post_init__` of a dataclass. `numbers` are the
    numbers to which a value leads: each has to lead somewhere; one that `refers` names something else that the site has
    to have. A `secret` one is told to administrators only. One that `[[user]]` of the site file itself has is
    `in_file`; `set_by` names the request that alone sets one, where that is no matter of a value.
    """

    function: str
    key: str
    shape: Any
    wanted: str
    read: Callable[[Any], T] | None = None
    numbers: Callable[[T], Iterable[str]] | None = None
    refers: bool = False
    secret: bool = False
    in_file: bool = False
    set_by: str = ""

    def parse(self, value: object) -> T:
        """Return the typed value of JSON `value`; raises `SettingError`."""
        from pydantic import ValidationError  # noqa: PLC0415 - imported when a setting is read, not before

        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise self._wrong("is neither text nor number, list nor table") from None
        if len(text) > MOST_CHARACTERS:
            raise self._wrong(f"is longer than {MOST_CHARACTERS} characters")
        try:
            shaped: T = _adapter(self.shape).validate_json(text, strict=True)
            return shaped if self.read is None else self.read(shaped)
        except ValidationError as error:
            raise self._wrong(_told(error.errors(include_url=False)[0])) from None
        except ConditionError as error:
            raise self._wrong(f"does not fit: {error.what}", error.remedy) from None
        except ValueError as error:
            raise self._wrong(f"does not fit: {error}") from None

    def _wrong(self, what: str, remedy: str = "") -> SettingError:
        what = f'the setting "{self.key}" of {self.function} {what}'
        return SettingError(what, remedy or f"write {self.wanted}")


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - as above

    return TypeAdapter(shape)


def _told(error: ErrorDetails) -> str:
    place = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return f"does not fit{f' at {place}' if place else ''}: {message[:1].lower()}{message[1:]}"
