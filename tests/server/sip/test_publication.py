"""Published event state (RFC 3903 section 6), on a virtual wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from ringfence.server.sip.publication import MOST_OF_AN_ACCOUNT, Publications

if TYPE_CHECKING:
    from ringfence.server.sip.message import Response

    from .conftest import Wire


@dataclass
class Desk:
    """Publishes for one account on a wire; `changes` counts what was told."""

    wire: Wire
    changes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.all = Publications("text/plain", bytes.decode, self.changes.append)

    def publish(self, body: str = "", etag: str | None = None, **headers: str) -> Response:
        request = self.wire.request("PUBLISH", headers=tuple(headers.items()))
        if etag is not None:
            request.add("SIP-If-Match", etag)
        if body:
            request.body = body.encode()
            request.add("Content-Type", "text/plain")
        return self.all.publish(self.wire.agent, "100", request, self.wire.now)

    @property
    def states(self) -> list[str]:
        return self.all.states("100")


@pytest.fixture
def desk(wire: Wire) -> Desk:
    return Desk(wire)


def etag_of(response: Response) -> str:
    assert response.status == 200
    etag = response.get("sip-etag")
    assert etag
    return etag


def test_publish_refresh_modify_and_remove_each_make_a_new_tag(desk: Desk) -> None:
    """RFC 3903 section 4 table 1."""
    first = desk.publish("here", Expires="600")
    assert first.get("expires") == "600"
    second = desk.publish(etag=etag_of(first))
    assert (desk.states, desk.changes) == (["here"], ["100"])
    third = desk.publish("away", etag=etag_of(second))
    assert (desk.states, desk.changes) == (["away"], ["100", "100"])
    assert len({etag_of(one) for one in (first, second, third)}) == 3
    last = desk.publish(etag=etag_of(third), Expires="0")
    assert (last.status, last.get("expires")) == (200, "0")
    assert (desk.states, desk.changes) == ([], ["100"] * 3)


def test_a_tag_that_is_not_known_is_412(desk: Desk) -> None:
    """RFC 3903 11.2.1: Conditional Request Failed; an older tag is not known any more."""
    first = desk.publish("here")
    desk.publish(etag=etag_of(first))
    for etag in (etag_of(first), "never"):
        refused = desk.publish("there", etag=etag)
        assert (refused.status, refused.reason) == (412, "Conditional Request Failed")
    assert desk.states == ["here"]


def test_too_brief_is_423_and_nothing_to_publish_400(desk: Desk) -> None:
    """RFC 3903 section 6 steps 4 and 6."""
    refused = desk.publish("here", Expires="5")
    assert (refused.status, refused.get("min-expires")) == (423, "10")
    assert desk.publish().status == 400
    assert desk.states == []


def test_a_body_of_another_kind_is_415(desk: Desk) -> None:
    """RFC 3903 section 6 step 5."""
    request = desk.wire.request("PUBLISH", headers=(("Content-Type", "text/html"),))
    request.body = b"<p>"
    refused = desk.all.publish(desk.wire.agent, "100", request, desk.wire.now)
    assert (refused.status, refused.get("accept")) == (415, "text/plain")


def test_what_is_not_refreshed_runs_out(desk: Desk) -> None:
    """RFC 3903 section 6 step 7: soft state; a refresh starts the time anew."""
    first = desk.publish("here", Expires="100")
    desk.wire.pass_time(90)
    desk.publish(etag=etag_of(first), Expires="100")
    desk.wire.pass_time(90)
    assert desk.states == ["here"]
    desk.wire.pass_time(11)
    assert (desk.states, desk.changes) == ([], ["100", "100"])


def test_two_devices_publish_beside_each_other_but_not_without_end(desk: Desk) -> None:
    """RFC 3903 section 4.1: each has its own tag; newest first."""
    desk.publish("phone")
    desk.publish("tablet")
    assert desk.states == ["tablet", "phone"]
    for _ in range(MOST_OF_AN_ACCOUNT - 2):
        desk.publish("more")
    refused = desk.publish("too many")
    assert (refused.status, refused.get("retry-after")) == (503, "60")
