"""A conference of telephones of others: two baresips, and a linphonec, which goes on recording after it was held."""

from __future__ import annotations

import json
from contextlib import ExitStack
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from .test_baresip import TALKING, Baresip
from .test_linphone import Linphone

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.served import Served

pytestmark = [pytest.mark.needs("baresip"), pytest.mark.needs("linphonec")]


def packets_sent(served: Served, call_id: str) -> dict[str, int]:
    """How many packets each device in a call has got up to now."""
    legs = served.get(f"/api/v1/calls/{call_id}")["connections"]
    return {one["device"]: one["verdict"]["packets_sent"] for one in legs}


def test_three_telephones_hear_the_two_others(served: Served, tmp_path: Path) -> None:
    """Anna holds Ben and calls Clara by the keys of her telephone; the server joins her two calls."""
    with ExitStack() as stack:

        def started(account: str, password: str, tone_hz: int, options: str) -> Baresip:
            room = tmp_path / account
            phone = Baresip(
                room, served.sip, account, password, tone_hz=tone_hz, options=options, transport="udp"
            )
            stack.callback(phone.quit)
            phone.shows("registered successfully")
            return phone

        clara = started("102", "Clara-1020-Kirsche", 1000, "answermode=auto;audio_codecs=pcmu")
        anna = started("100", "Anna-1000-Apfel", 440, "audio_codecs=pcma")
        ben = Linphone(tmp_path / "101", served, "101", transport="udp", tone_hz=620, mandatory=False)
        stack.callback(ben.quit)
        ben.registered()
        anna.press("/dial 101\n")
        ben.shows("Receiving new incoming call")
        ben.press("answer\n")
        anna.shows_match(TALKING)
        anna.press("x")
        ben.shows("has been paused by")
        anna.press("/dial 102\n")
        clara.shows_match(TALKING)
        first, second = [call["id"] for call in served.get("/api/v1/calls")]
        served.fetch(f"/api/v1/calls/{first}/conference", "POST", json.dumps({"with": second}).encode())
        enough = {device: sent + 150 for device, sent in packets_sent(served, first).items()}
        assert set(enough) == {"100", "101", "102"}
        give_up_at = monotonic() + 30
        while any(sent < enough[device] for device, sent in packets_sent(served, first).items()):
            assert monotonic() < give_up_at
            sleep(0.2)
        served.fetch(f"/api/v1/calls/{first}", "DELETE")
    phones: dict[int, Baresip | Linphone] = {440: anna, 620: ben, 1000: clara}
    for own, phone in phones.items():
        heard = phone.heard()
        last = heard.between(heard.duration_s - 1.5, heard.duration_s - 0.5)
        assert [last.power_at(hz) > 0.3 for hz in phones] == [hz != own for hz in phones]
        assert last.power_at(own) < 0.01
    assert served.get("/api/v1/channels")["leases"] == []
