"""The personal settings of the telephone, which go with no licensed function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ..declaration import STRICT, Declaration

if TYPE_CHECKING:
    from collections.abc import Iterator

TELEPHONE: Final = "telephone"
"""What settings belong to that go with no licensed function; it is never switched off."""
LONGEST_RING_S: Final = 180
KINDS: Final = ("always", "busy", "no_answer", "not_registered")
CALLERS: Final = ("internal", "external")
"""Who may have forwardings of their own: whoever calls from inside, and who comes by a trunk."""


@dataclass(frozen=True, slots=True)
class ForwardTargets:
    """Where calls go at once, on busy, when nobody answers, or with no phone registered; None: as for everybody."""

    __pydantic_config__: ClassVar = STRICT
    always: str | None = None
    busy: str | None = None
    no_answer: str | None = None
    not_registered: str | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a user's calls go at once, on busy, after `after_s` seconds of ringing, or with no phone registered.

    What `internal` or `external` name counts for such callers in the place of the same kind for everybody.
    """

    __pydantic_config__: ClassVar = STRICT
    busy: str | None = None
    no_answer: str | None = None
    not_registered: str | None = None
    after_s: float = 20.0
    always: str | None = None
    internal: ForwardTargets | None = None
    external: ForwardTargets | None = None

    def targets(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """All numbers to which it leads, each with its keys: `("busy",)`, `("internal", "busy")`."""
        for callers in ("", *CALLERS):
            part = getattr(self, callers) if callers else self
            for kind in KINDS if part is not None else ():
                target = getattr(part, kind)
                if target is not None:
                    yield (callers, kind) if callers else (kind,), target


DO_NOT_DISTURB: Final[Declaration[bool]] = Declaration(TELEPHONE, "do_not_disturb", bool, "true or false")
"""Nobody's call rings; whoever calls finds the user busy."""
CALL_WAITING: Final[Declaration[bool]] = Declaration(TELEPHONE, "call_waiting", bool, "true or false")
"""Whether a call rings while the user has another one; with false he is busy then."""

_NUMBER = 'a number to dial, such as "101" or "*100"'

PERSONAL: Final[tuple[Declaration[Any], ...]] = (
    *(
        Declaration(TELEPHONE, f"forward.{callers}{kind}", str, _NUMBER, in_file=True)
        for callers in ("", *(f"{one}." for one in CALLERS))
        for kind in KINDS
    ),
    Declaration(TELEPHONE, "forward.after_s", float, f"1 to {LONGEST_RING_S} seconds", in_file=True),
    DO_NOT_DISTURB,
    CALL_WAITING,
)
