"""Whose telephone has forwarded a call to OneNumber: the other telephone system tells it, or the number does.

A desk phone of another system is forwarded to one number for all its users, and the user is found by Diversion (RFC
5806), or to a prefix and his own extension. `server.switch.forwarding_party` asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the shape
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...licensing.refusal import Refusal
from ..declaration import STRICT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..gate import Gate

MOST_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Gateway:
    """`[one_number]`: the `number` that telephones of another system are forwarded to, and the `prefix` of another way.

    `pattern` is a regular expression whose group is the extension in the number that Diversion names; without one the
    trunk's root is taken off.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = STRICT
    number: str | None = None
    prefix: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Diverter:
    """Who has forwarded a call: his number, and how many forwardings his entry stands for (RFC 5806 5.1)."""

    number: str
    counter: int = 1


def extension_in(number: str, pattern: str) -> str | None:
    """Return what the group of `pattern` finds in a number; None where it finds nothing."""
    match = re.search(pattern, number[:MOST_CHARACTERS])
    return None if match is None else match[1]


def forwarding_party(
    diverters: Sequence[Diverter], user_at: Callable[[str], str | None], gate: Gate
) -> str | Refusal:
    """Return the user who forwarded his telephone here, the last of `diverters`, which is named first (RFC 5806 4).

    Where others have forwarded the call too and this one is nobody whom the function is on for, they hide him.
    """
    if not diverters:
        return Refusal("forwarding_party.unknown")
    last = diverters[0]
    user = user_at(last.number)
    answer = None if user is None else gate.may(user, "one_number")
    if user is not None and not isinstance(answer, Refusal):
        return user
    is_foreign = not isinstance(answer, Refusal) or answer.reason == "function.not_configured"
    if is_foreign and (len(diverters) > 1 or last.counter > 1):
        return Refusal("forwarding_party.hidden", facts={"number": last.number})
    return answer if isinstance(answer, Refusal) else Refusal("forwarding_party.unknown")
