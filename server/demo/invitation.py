"""Where to point a phone when the company is left running: address, accounts, and numbers to try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..site.site import User
    from .company import Company


@dataclass(frozen=True, slots=True)
class Seat:
    """An account that a phone may use."""

    account: str
    password: str
    what: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """`numbers` maps what to dial to what it does; `token` is the administrator's for `http`."""

    sip: str
    domain: str
    seats: tuple[Seat, ...]
    numbers: Mapping[str, str]
    http: str | None
    token: str


def invite(company: Company) -> Invitation:
    """Write the invitation to a running company."""
    cast, pbx = company.cast, company.pbx
    site = pbx.site
    seats = (
        _desk(cast.caller),
        _desk(cast.called),
        Seat(cast.called.name, cast.called.password, f"softphone of {cast.called.display_name}, licensed"),
        Seat(cast.refused.name, cast.refused.password, f"softphone of {cast.refused.display_name}, refused"),
    )
    numbers = {
        cast.called.extension: f"rings {cast.called.display_name}",
        site.voicemail.box_number(cast.box_owner.extension): f"a message for {cast.box_owner.display_name}",
        cast.attendant.extension: "the Auto Attendant",
    }
    if site.voicemail.extension is not None:
        numbers[site.voicemail.extension] = (
            f"listen: your PIN, say {cast.caller.voicemail_pin} for {cast.caller.extension}"
        )
    if site.test_numbers.enabled:
        prefix = site.test_numbers.prefix
        numbers |= {
            f"{prefix}00": "an echo",
            f"{prefix}01": "a tone of 440 Hz",
            f"{prefix}05": "reads back each digit that you press",
        }
    return Invitation(str(pbx.sip), site.server.domain, seats, numbers, pbx.http, pbx.token)


def _desk(user: User) -> Seat:
    return Seat(user.extension, user.password, f"desk phone of {user.display_name}")
