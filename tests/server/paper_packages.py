"""Licence packages as plain JSON: `{"id": …, "licences": …, "until": …}`, for what does not ask how they are signed."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from ringfence.licensing.entitlement import Entitlement
from ringfence.server.site.packages import Checked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def paper(id: str, until: float = 1e12, **licences: int) -> bytes:  # noqa: A002 - as in the package
    """A package that is good until `until` (Unix time)."""
    return json.dumps({"id": id, "licences": licences, "until": until}).encode()


class PaperPackages:
    """Believes every package that is not over."""

    def check(self, data: bytes, now: float) -> Checked:
        read = json.loads(data)
        if read["until"] < now:
            raise ValueError(f"the package {read['id']} is over")
        return Checked(read["id"], read["licences"])

    def entitlement(self, plain: Mapping[str, int], packages: Sequence[bytes], now: float) -> Entitlement:
        bought = Counter(plain)
        for read in map(json.loads, packages):
            if now <= read["until"]:
                bought.update(read["licences"])
        return Entitlement(dict(bought))
