"""Nobody is shot at through the server: one answer at most, and not three times as long (RFC 3261 26.3.2.4).

By UDP anybody can send in anybody's name. So every method, known or not, is sent without proof and with every fault
that is found before it would be asked for, at usual length and as short as SIP lets it be; then minutes pass.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.server.besieged import TRUNK, besieged, statuses

from ringfence.channels.network import Address
from ringfence.server.sip.amplification import MOST_GROWTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.besieged import Besieged

DOMAIN, VICTIM = "klein.example", "192.0.2.66"
METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "PRACK", "SUBSCRIBE", "NOTIFY", "UPDATE", "MESSAGE",
    "REFER", "PUBLISH", "INFO", "FOO", "invite", "X-1.2!%*_+`'~",
)  # fmt: skip
CREDENTIALS = (
    f'Authorization: Digest username="100", realm="{DOMAIN}", nonce="1-1-{"0" * 32}", uri="sip:{DOMAIN}", '
)
FAULTS = {
    "nothing but who it is": ("", "", 401),
    "a method in a dialog that is none": (">\r\nCall-ID", ">;tag=none\r\nCall-ID", 481),
    "another version": (" SIP/2.0\r\n", " SIP/3.0\r\n", 505),
    "no Call-ID": ("Call-ID", "Calling", 400),
    "a number that is none": ("CSeq: 1", "CSeq: one", 400),
    "a Via beyond reading": (";rport;", ";rport;;", 400),
    "another scheme": (" sip:100@", " tel:100;x=", 416),
    "sips: without TLS": (" sip:100@", " sips:100@", 403),
    "no hops left": ("Max-Forwards: 70", "Max-Forwards: 0", 401),
    "an unknown extension": ("Max-Forwards", "Require: nothing-known\r\nMax-Forwards", 401),
    "a body that is too large": ("Content-Length: 0", "Content-Length: 999999", 513),
    "a body of a strange kind": (
        "Content-Length: 0\r\n\r\n",
        "Content-Type: a/b\r\nContent-Length: 1\r\n\r\nx",
        401,
    ),
    "another domain": (f"100@{DOMAIN} ", "100@elsewhere.example ", 401),
    "credentials beyond reading": ("Max-Forwards", f"{CREDENTIALS}\r\nMax-Forwards", 400),
    "credentials of nobody": ("Max-Forwards", f'{CREDENTIALS}response="0a"\r\nMax-Forwards', 401),
}


@pytest.fixture(scope="module")
def target() -> Iterator[Besieged]:
    with besieged() as one:
        yield one


def usual(method: str, source: Address) -> str:
    """A request as telephones write it."""
    return (
        f"{method} sip:100@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {source};rport;branch=z9hG4bK{source.port}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:100@{DOMAIN}>;tag=f\r\nTo: <sip:100@{DOMAIN}>\r\n"
        f"Call-ID: new{method}\r\nCSeq: 1 {method}\r\nContact: <sip:100@{source}>\r\n"
        "Content-Length: 0\r\n\r\n"
    )


def short(text: str) -> str:
    """Leave out what an answer can do without, and write the rest in as few letters as there are."""
    lines = [line for line in text.split("\r\n") if not line.startswith(("Contact", "Content-Length: 0"))]
    text = "\r\n".join(lines).replace(": ", ":")
    for name, letter in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Content-Length", "l")):
        text = text.replace(f"\r\n{name}:", f"\r\n{letter}:")
    return text.replace(";rport", "").replace("Max-Forwards:70\r\n", "")


def shoot(target: Besieged, requests: dict[Address, bytes]) -> dict[Address, list[bytes]]:
    """Send each request from its address, let minutes pass, and return what came to each: little, and at most once."""
    target.network.heard.clear()
    for source, data in requests.items():
        target.send(data, source)
    target.loop.run_until_complete(asyncio.sleep(180))
    answers: dict[Address, list[bytes]] = {source: [] for source in requests}
    for data, destination in target.network.heard:
        if destination.host == VICTIM:
            answers[destination].append(data)
    for source, heard in answers.items():
        assert len(heard) <= 1, (requests[source], statuses(heard))
        assert all(len(one) <= MOST_GROWTH * len(requests[source]) for one in heard), requests[source]
    return answers


@pytest.mark.parametrize("fault", FAULTS)
def test_one_answer_at_most_and_no_longer_than_three_times_the_request(target: Besieged, fault: str) -> None:
    before, after, status = FAULTS[fault]
    usual_ones, short_ones = {}, {}
    for number, method in enumerate(METHODS):
        text = usual(method, Address(VICTIM, 10_000 + number))
        assert before in text
        usual_ones[Address(VICTIM, 10_000 + number)] = text.replace(before, after, 1).encode()
        text = usual(method, Address(VICTIM, 20_000 + number))
        short_ones[Address(VICTIM, 20_000 + number)] = short(text.replace(before, after, 1)).encode()
    told = shoot(target, usual_ones).values()
    for method, heard in zip(METHODS, told, strict=True):
        if method == "ACK":
            assert heard == [], "an ACK is never answered (RFC 3261 17)"
        elif method == "CANCEL":
            assert statuses(heard) in ([status], [481]), "a CANCEL is never challenged (RFC 3261 22.1)"
            assert statuses(heard) != [401]
        else:
            assert statuses(heard) == [status], method
    shoot(target, short_ones)


def test_who_repeats_the_request_of_another_is_told_so_once(target: Besieged) -> None:
    """RFC 3261 8.2.2.2: 482, from whatever address; what he repeats is not answered anew."""
    call = usual("INVITE", TRUNK).replace("sip:100@", "sip:089555509902@")
    target.ask(call.encode(), TRUNK)
    source = Address(VICTIM, 10_000)
    merged = call.replace(f"z9hG4bK{TRUNK.port}", "z9hG4bKmerged").replace(str(TRUNK), str(source))
    assert statuses(shoot(target, {source: merged.encode()})[source]) == [482]
