"""Dialogs as RFC 3261 section 12 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.dialog import Dialog, DialogId, dialog_id
from ringfence.server.sip.message import Request, Response

if TYPE_CHECKING:
    from tests.server.sip.conftest import Wire

ROUTES = (("Record-Route", "<sip:192.0.2.8;lr>, <sip:192.0.2.9;lr>"),)


def of_server(wire: Wire, *, headers: tuple[tuple[str, str], ...] = ()) -> Dialog:
    return Dialog.of_server(wire.request("INVITE", cseq=7, headers=headers), "ours", wire.far)


def of_client(wire: Wire, *, headers: tuple[tuple[str, str], ...] = ()) -> Dialog:
    request = wire.request("INVITE", cseq=7)
    response = request.respond(200, to_tag="theirs")
    response.add("Contact", "<sip:ben@192.0.2.70:6060;transport=udp>")
    for name, value in headers:
        response.add(name, value)
    return Dialog.of_client(request, response, wire.far)


def test_the_called_side_takes_tags_target_and_number_from_the_request(wire: Wire) -> None:
    """RFC 3261 12.1.1."""
    dialog = of_server(wire, headers=ROUTES)
    assert dialog.id == DialogId("c1", "ours", "f1")
    assert dialog.target == "sip:100@192.0.2.7:5070"
    assert dialog.routes == ["<sip:192.0.2.8;lr>", "<sip:192.0.2.9;lr>"]
    assert (dialog.local_cseq, dialog.remote_cseq) == (0, 7)
    bye = dialog.request("BYE")
    assert (bye.from_.tag, bye.to.tag, str(bye.cseq), bye.call_id) == ("ours", "f1", "1 BYE", "c1")


def test_the_calling_side_takes_them_from_the_response_and_its_routes_backwards(wire: Wire) -> None:
    """RFC 3261 12.1.2."""
    dialog = of_client(wire, headers=ROUTES)
    assert dialog.id == DialogId("c1", "f1", "theirs")
    assert dialog.routes == ["<sip:192.0.2.9;lr>", "<sip:192.0.2.8;lr>"]
    bye = dialog.request("BYE")
    assert bye.uri == "sip:ben@192.0.2.70:6060;transport=udp"
    assert (bye.from_.tag, bye.to.tag, str(bye.cseq)) == ("f1", "theirs", "8 BYE")
    assert bye.values("route") == dialog.routes
    assert dialog.next_hop == "sip:192.0.2.9;lr"


def test_numbers_rise_and_an_ack_has_the_number_of_its_invite(wire: Wire) -> None:
    dialog = of_client(wire)
    assert [str(dialog.request("INFO").cseq) for _ in range(2)] == ["8 INFO", "9 INFO"]
    assert str(dialog.request("ACK", cseq=7).cseq) == "7 ACK"
    assert str(dialog.request("BYE").cseq) == "10 BYE"


def test_a_strict_router_is_named_by_the_request_uri(wire: Wire) -> None:
    """RFC 3261 12.2.1.1."""
    headers = (("Record-Route", "<sip:192.0.2.8;lr>, <sip:192.0.2.9>"),)
    bye = of_client(wire, headers=headers).request("BYE")
    assert bye.uri == "sip:192.0.2.9"
    assert bye.values("route") == ["<sip:192.0.2.8;lr>", "<sip:ben@192.0.2.70:6060;transport=udp>"]


def test_without_a_contact_the_from_or_the_request_uri_is_the_target(wire: Wire) -> None:
    request = wire.request("INVITE")
    request.remove("contact")
    assert Dialog.of_server(request, "ours", wire.far).target == "sip:100@example.com"
    response = Response(200, headers=[("To", "<sip:9900@example.com>;tag=t")])
    assert Dialog.of_client(request, response, wire.far).target == "sip:9900@192.0.2.1"


@pytest.mark.parametrize(("number", "in_order"), [(6, False), (7, False), (8, True), (20, True)])
def test_a_number_that_does_not_rise_is_out_of_order(wire: Wire, number: int, *, in_order: bool) -> None:
    """RFC 3261 12.2.2."""
    dialog = of_server(wire)
    assert dialog.accepts(wire.request("BYE", cseq=number)) is in_order
    assert dialog.accepts(wire.request("BYE", cseq=21))


def test_the_first_request_of_the_called_side_may_have_any_number(wire: Wire) -> None:
    dialog = of_client(wire)
    assert dialog.accepts(wire.request("BYE", cseq=1))
    assert not dialog.accepts(wire.request("BYE", cseq=1))


def test_the_key_of_a_request_is_its_owners(wire: Wire) -> None:
    assert dialog_id(wire.request("BYE", to_tag="ours")) == DialogId("c1", "ours", "f1")
    bare = Request(
        "BYE",
        "sip:a@b.example",
        [("From", "<sip:a@b.example>"), ("To", "<sip:c@d.example>"), ("Call-ID", "c1")],
    )
    assert dialog_id(bare) == DialogId("c1", "", "")


def test_a_target_by_name_is_reached_where_its_messages_came_from(wire: Wire) -> None:
    dialog = of_server(wire)
    dialog.target = "sip:100@phone.invalid"
    assert wire.agent.next_hop(dialog) == wire.far
    dialog.routes = ['"a proxy" <sip:192.0.2.8:5062;lr>;x=y']
    assert wire.agent.next_hop(dialog) == Address("192.0.2.8", 5062)
