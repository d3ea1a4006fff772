from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from ringfence.server.cli.event_log import follow
from ringfence.server.site.acts import SwitchFunctions
from ringfence.server.switch.events import DigitPressed, OverloadBegan, OverloadEnded

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest


async def test_calls_refusals_and_changes_are_told_as_noun_and_past_verb(pbx: PbxUnderTest) -> None:
    anna = await pbx.phone("100")
    with capture_logs() as logs:
        follow(pbx.server.stream)
        call = await anna.dial("777")
        await pbx.move("anna", "Haus", "Lager")
        await pbx.server.administration.apply(SwitchFunctions("Haus", None, frozenset({"cti"})))
    told = {entry["event"]: entry for entry in logs}
    assert list(told)[:3] == ["call.started", "call.refused", "call.ended"]
    assert (told["call.refused"]["reason"], told["call.refused"]["decision"]) == (
        "number.unknown",
        call.decision,
    )
    assert told["user.moved"]["to_group"] == "Lager"
    assert told["functions.switched"]["functions"] == ["cti"]
    assert {"settings.deleted", "licence.released", "licence.assigned"} <= set(told)
    assert {entry["log_level"] for entry in logs} == {"info"}


async def test_digits_which_may_be_a_pin_are_not_told(pbx: PbxUnderTest) -> None:
    with capture_logs() as logs:
        follow(pbx.server.stream)
        pbx.server.stream.publish(DigitPressed("c-1", "l-1", "8"))
        await pbx.phone("100")
    assert logs == []


async def test_an_overload_is_two_lines(pbx: PbxUnderTest) -> None:
    with capture_logs() as logs:
        follow(pbx.server.stream)
        pbx.server.stream.publish(OverloadBegan())
        pbx.server.stream.publish(OverloadEnded(25))
    told = [(entry["event"], entry.get("shed")) for entry in logs]
    assert told == [("overload.began", None), ("overload.ended", 25)]
