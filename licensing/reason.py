"""One reason: what each interface says of it, and its sentence. `reasons` is the table of them all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Tapi:
    """A TAPI constant: its name in `tapi.h` and its number (a LINEERR is negative)."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Csta:
    """An error category of CSTA and its value, or an event (`Failed`, `ConnectionCleared`) and its cause."""

    category: str
    value: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table; None where an interface never meets the reason.

    `tapi` is what a request returns, `tapi_disconnect` the mode in which a call ends. `retry_after_s` goes
    into the Retry-After of both SIP and HTTP.
    """

    code: str
    sip_status: int | None
    q850_cause: int | None
    q850_text: str
    tapi: Tapi | None
    tapi_disconnect: Tapi | None
    csta: Csta | None
    http_status: int | None
    retry_after_s: int | None
    text: str
    remedy: str
    text_de: str
    remedy_de: str

    def sentence(self, facts: Mapping[str, object] = MappingProxyType({})) -> str:
        """Say what happened and what helps; may name users, hence for administrators and the user himself."""
        return f"{_fill(self.text, facts)} {self.remedy}"

    def sentence_de(self, facts: Mapping[str, object] = MappingProxyType({})) -> str:
        """Say in German what happened and what helps."""
        return f"{_fill(self.text_de, facts)} {self.remedy_de}"

    @property
    def reason_header(self) -> str | None:
        """The value of the SIP Reason header, or None if the row has no cause (RFC 3326)."""
        return None if self.q850_cause is None else f'Q.850;cause={self.q850_cause};text="{self.q850_text}"'


_OPTIONAL = re.compile(r"\[([^\]]*)\]")


def _fill(template: str, facts: Mapping[str, object]) -> str:
    """Put the facts into a template; a part in square brackets falls away when a fact in it is not known."""
    words = {
        key: ", ".join(map(str, one)) if isinstance(one, tuple | list) else one for key, one in facts.items()
    }

    def optional(part: re.Match[str]) -> str:
        try:
            return part[1].format_map(words)
        except KeyError:
            return ""

    return _OPTIONAL.sub(optional, template)
