"""The rules of allocation once more, for tests to compare with: seat by seat, slowly, and without a line of licensing.

Whoever changes a rule changes it in both places. Each seat goes to the first in the order of service who may still
take one; then the order is looked at afresh.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NEEDED = {
    "office": "cti journal presence chat sms team_panel assistant groupware meetings "
    "softphone softphone_mobile one_number federation teamdesk "
    "voicemail_client voicemail_sms voicemail_mobile fax_client",
    "office_plus": "softphone softphone_mobile one_number federation teamdesk voicemail_mobile",
    "teamdesk": "teamdesk",
    "voicemail": "voicemail voicemail_client voicemail_sms voicemail_mobile",
    "fax": "fax fax_client",
    "contacts": "contacts dashboard",
    "dashboard": "dashboard",
    "tapi_line": "tapi_line",
}
ORDER_OF_LICENCES = (
    "office_plus",
    "office",
    "teamdesk",
    "voicemail",
    "fax",
    "contacts",
    "dashboard",
    "tapi_line",
)
BUILDS_ON = {"teamdesk": "office_plus", "dashboard": "contacts"}
CHANNELS = {"voicemail": 2, "fax": 1}


@dataclass
class Person:
    """A user; `held` and `blocked` are filled in by `deal`."""

    name: str
    seq: int
    location: str
    functions: frozenset[str]
    held: set[str] = field(default_factory=set)
    blocked: dict[str, str] = field(default_factory=dict)

    def wants(self, licence: str) -> bool:
        return not self.functions.isdisjoint(NEEDED[licence].split())


def deal(
    bought: dict[str, int],
    people: list[Person],
    reservations: dict[str, tuple[str, ...]],
    contingents: dict[str, dict[str, int]],
) -> None:
    """Fill in what everybody holds, and which of the rest waits in vain for something other than a seat."""
    for licence in ORDER_OF_LICENCES:
        competing = [one for one in people if one.wants(licence)]
        for one in list(competing):
            obstacle = _obstacle(licence, one, bought)
            if obstacle:
                one.blocked[licence] = obstacle
                competing.remove(one)
        seats = bought.get(licence, 0)
        if licence == "office":
            with_plus = [one for one in competing if "office_plus" in one.held]
            for one in with_plus:
                one.held.add("office")
                competing.remove(one)
            seats += bought.get("office_plus", 0) - len(with_plus)
        caps = {place: counts[licence] for place, counts in contingents.items() if licence in counts}
        _deal_one(licence, seats, competing, list(reservations.get(licence, ())), caps)


def _obstacle(licence: str, one: Person, bought: dict[str, int]) -> str:
    if not bought.get("server"):
        return "server"
    if bought.get("ip_channel", 0) < CHANNELS.get(licence, 0):
        return f"ip_channel>={CHANNELS[licence]}"
    needs = BUILDS_ON.get(licence)
    return needs if needs is not None and needs not in one.held else ""


def _deal_one(
    licence: str, seats: int, competing: list[Person], reserved: list[str], caps: dict[str, int]
) -> None:
    """Give seat after seat to the first who may have it (L-64)."""
    places = list(caps)
    for _ in range(seats):

        def has_room(one: Person) -> bool:
            if one.location in caps:
                there = [other for other in competing if other.location == one.location]
                room = caps[one.location]
            else:
                there = [other for other in competing if other.location not in caps]
                room = max(0, seats - sum(caps.values()))
            return sum(licence in other.held for other in there) < room

        def rank(one: Person) -> tuple[int, int, int]:
            if one.name in reserved:
                return 0, reserved.index(one.name), 0
            if one.location in caps:
                return 1, places.index(one.location), one.seq
            return 2, 0, one.seq

        waiting = [one for one in competing if licence not in one.held and has_room(one)]
        if not waiting:
            return
        min(waiting, key=rank).held.add(licence)
