"""`[responses]`: how calls are refused for which no channel is free (W-10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

_STRICT: Mapping[str, object] = {"extra": "forbid", "strict": True}

Choice = Literal[503, 486, 403, 603, "announcement"]


@dataclass(frozen=True, slots=True)
class PoolResponses:
    """What callers from inside and from trunks get at the limit of one pool; what is not named says the profile."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    internal: Choice | None = None
    external: Choice | None = None

    @property
    def chosen(self) -> Mapping[str, Choice]:
        """What is named."""
        found = {"internal": self.internal, "external": self.external}
        return {origin: choice for origin, choice in found.items() if choice is not None}


@dataclass(frozen=True, slots=True)
class Responses:
    """The answers of `profile`, named after a system, save what is chosen for a pool by itself."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    profile: Literal[
        "ringfence", "freeswitch", "jambonz", "asterisk", "genesys", "ivozprovider", "3cx", "mor"
    ] = "ringfence"
    ip_channel: PoolResponses = PoolResponses()
    auto_attendant: PoolResponses = PoolResponses()

    @property
    def by_pool(self) -> Mapping[str, Mapping[str, Choice]]:
        """What is chosen, by the key of the pool."""
        return {"ip_channel": self.ip_channel.chosen, "auto_attendant": self.auto_attendant.chosen}
