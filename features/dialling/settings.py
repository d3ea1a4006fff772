"""How numbers outside are dialled at a location."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

NumberFormat: TypeAlias = Literal["e164", "international", "national"]
"""`+49731999`, `0049731999`, or `0731999` within the country; prefixes are those of the dial parameters."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """`[[dialling]]`: the dial parameters of a location, without one those of all others and of the trunks.

    `exit_code` (Amtsholung) comes before a number outside. Without an `area` numbers are dialled whole. The prefixes
    are those of the country unless they are given. `caller_format` is how telephones show who calls from outside;
    `dialled` is as he would be called back.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "strict": True}
    country: str
    location: str | None = None
    area: str = ""
    exit_code: str = ""
    national_prefix: str | None = None
    international_prefix: str | None = None
    caller_format: Literal["as_signalled", "dialled", "e164", "international", "national"] = "as_signalled"
