"""What a whole server answers to the torture messages of RFC 4475 and RFC 5118: a stranger, and once it knows who asks.

Whoever has no account is refused for what is wrong with his message, never challenged for it (RFC 3261 8.2, 22.2).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ringfence.channels.network import Address
from ringfence.server.sip.message import Response
from ringfence.server.sip.parser import parse

from ..besieged import Besieged, besieged, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = Path(__file__).parents[1] / "sip"
IPV6_SOURCE = Address("2001:db8::9:1", 5060)
PASSWORD = "Vier-4475-Feuer"
SITE = """
[server]
name = "Torture"
domain = "example.com"
[entitlements]
server = 1
ip_channel = 2
office = 4
office_plus = 4
[[location]]
name = "Here"
functions = ["softphone"]
""" + "".join(
    f'[[user]]\nname = "{name}"\ndisplay_name = "T"\nlocation = "Here"\nextension = "{extension}"\n'
    f'password = "{PASSWORD}"\n'
    for name, extension in (("user", "100"), ("watson", "101"), ("UserB", "102"), ("j.user", "103"))
)

# name: (section, the account that asks, the answer to a stranger, the answer to the account; None: no answer)
RFC4475: dict[str, tuple[str, str, int | None, int | None]] = {
    "wsinv": ("3.1.1.1", "user", 481, 481),  # it has a To tag: inside a dialog that is none (RFC 3261 12.2.2)
    "intmeth": ("3.1.1.2", "user", 401, 405),
    "esc01": ("3.1.1.3", "user", 401, 404),  # a user of another domain
    "escnull": ("3.1.1.4", "user", 401, 403),  # not the account of the one who asks
    "esc02": ("3.1.1.5", "user", 401, 405),  # %-escapes mean nothing in a method: no REGISTER
    "lwsdisp": ("3.1.1.6", "user", 401, 200),
    "longreq": ("3.1.1.7", "user", 401, 480),
    "dblreq": ("3.1.1.8", "j.user", 401, 200),
    "semiuri": ("3.1.1.9", "user", 401, 404),  # well-formed, but nobody is called so (RFC 3261 11.2)
    "transports": ("3.1.1.10", "user", 401, 200),
    "mpart01": ("3.1.1.11", "user", 401, 404),  # a MESSAGE to nobody of ours
    "unreason": ("3.1.1.12", "user", None, None),
    "noreason": ("3.1.1.13", "user", None, None),
    "badinv01": ("3.1.2.1", "user", 400, 400),
    "clerr": ("3.1.2.2", "user", 400, 400),
    "ncl": ("3.1.2.3", "user", 400, 400),
    "scalar02": ("3.1.2.4", "user", 400, 400),
    "scalarlg": ("3.1.2.5", "user", None, None),
    "quotbal": ("3.1.2.6", "user", 400, 400),
    "ltgtruri": ("3.1.2.7", "user", 400, 400),
    "lwsruri": ("3.1.2.8", "user", 400, 400),
    "lwsstart": ("3.1.2.9", "user", 400, 400),
    "trws": ("3.1.2.10", "user", 400, 400),
    "escruri": ("3.1.2.11", "user", 400, 400),
    "baddate": ("3.1.2.12", "user", 400, 400),
    "regbadct": ("3.1.2.13", "user", 400, 400),
    "badaspec": ("3.1.2.14", "user", 400, 400),
    "baddn": ("3.1.2.15", "user", 400, 400),
    "badvers": ("3.1.2.16", "user", 505, 505),
    "mismatch01": ("3.1.2.17", "user", 400, 400),
    "mismatch02": ("3.1.2.18", "user", 400, 400),
    "bigcode": ("3.1.2.19", "user", None, None),
    "badbranch": ("3.2.1", "user", 401, 200),
    "insuf": ("3.3.1", "user", 400, 400),
    "unkscm": ("3.3.2", "user", 416, 416),
    "novelsc": ("3.3.3", "user", 416, 416),
    "unksm2": (
        "3.3.4",
        "user",
        401,
        403,
    ),  # the scheme of the To is no reason to refuse, but it is no account
    "bext01": ("3.3.5", "user", 401, 420),
    "invut": ("3.3.6", "user", 401, 415),
    "regaut01": ("3.3.7", "j.user", 401, 200),
    "multi01": ("3.3.8", "user", 400, 400),
    "mcl01": ("3.3.9", "user", 400, 400),
    "bcast": ("3.3.10", "user", None, None),
    "zeromf": ("3.3.11", "user", 401, 200),  # it goes no further (RFC 3261 11)
    "cparam01": ("3.3.12", "watson", 401, 200),
    "cparam02": ("3.3.13", "watson", 401, 200),
    "regescrt": ("3.3.14", "user", 401, 200),
    "sdp01": ("3.3.15", "user", 401, 406),
    "inv2543": ("3.4.1", "user", 401, 480),
}
# name: (section, the answer to a stranger, the answer to the account of `user`)
RFC5118: dict[str, tuple[str, int, int]] = {
    "ipv6-good": ("4.1", 401, 200),
    "ipv6-bad": ("4.2", 400, 400),
    "port-ambiguous": ("4.3", 401, 200),
    "port-unambiguous": ("4.4", 401, 200),
    "via-received-param-with-delim": ("4.5", 481, 481),
    "via-received-param-no-delim": ("4.5", 200, 200),
    "ipv6-in-sdp": ("4.6", 401, 488),  # G.726 only
    "mult-ip-in-header": ("4.7", 481, 481),
    "mult-ip-in-sdp": ("4.8", 401, 480),
    "ipv4-mapped-ipv6": ("4.9", 401, 488),  # G.726 only
    "ipv6-bug-abnf-3-colons": ("4.10", 401, 200),
    "ipv6-correct-abnf-2-colons": ("4.10", 401, 200),
}


@pytest.fixture
def target() -> Iterator[Besieged]:
    with besieged(SITE) as server:
        yield server


def read(name: str, rfc: str = "rfc4475") -> bytes:
    return (MESSAGES / rfc / f"{name}.dat").read_bytes()


def answer(target: Besieged, name: str, account: str) -> Response:
    """Ask as `account`; return the last answer."""
    response = parse(target.ask_as(account, PASSWORD, read(name))[-1])
    assert isinstance(response, Response)
    return response


def finals(answers: list[bytes]) -> list[int]:
    return [status for status in statuses(answers) if status >= 200]


def test_every_message_of_rfc_4475_has_its_answer() -> None:
    assert sorted(RFC4475) == sorted(path.stem for path in (MESSAGES / "rfc4475").glob("*.dat"))
    assert len(RFC4475) == len({section for section, *_ in RFC4475.values()}) == 49


@pytest.mark.parametrize("name", RFC4475)
def test_a_stranger_gets_one_answer_and_leaves_no_trace(target: Besieged, name: str) -> None:
    section, _, status, _ = RFC4475[name]
    assert statuses(target.ask(read(name))) == ([] if status is None else [status]), section
    assert target.server._stack.agent.is_idle
    assert not target.server.switch.calls
    target.check()


@pytest.mark.parametrize("name", RFC4475)
def test_an_account_gets_the_answer_of_the_rfc(target: Besieged, name: str) -> None:
    section, account, _, status = RFC4475[name]
    answers = target.ask_as(account, PASSWORD, read(name))
    assert finals(answers) == ([] if status is None else [status]), section
    target.check()


def test_bext01_is_told_which_extensions_are_not_supported(target: Besieged) -> None:
    """RFC 4475 3.3.5, RFC 3261 8.2.2.3: those of Require, not those for proxies."""
    assert answer(target, "bext01", "user").values("unsupported") == [
        "nothingSupportsThis",
        "nothingSupportsThisEither",
    ]


def test_invut_is_told_what_is_taken(target: Besieged) -> None:
    """RFC 4475 3.3.6, RFC 3261 8.2.3."""
    assert answer(target, "invut", "user").values("accept") == ["application/sdp"]


@pytest.mark.parametrize(
    ("name", "account", "contact"),
    [
        ("cparam01", "watson", "<sip:+19725552222@gw1.example.net>"),
        ("cparam02", "watson", "<sip:+19725552222@gw1.example.net;unknownparam>"),
        ("regescrt", "user", "<sip:user@example.com?route=%3Csip:sip.example.com%3E>"),
    ],
)
def test_a_registered_contact_keeps_what_belongs_to_its_uri(
    target: Besieged, name: str, account: str, contact: str
) -> None:
    """RFC 4475 3.3.12 to 3.3.14."""
    (value,) = answer(target, name, account).values("contact")
    assert value.partition(";expires=")[0] == contact


def test_dblreq_is_one_request(target: Besieged) -> None:
    """RFC 4475 3.1.1.8: what follows the body of a datagram is dropped, not answered."""
    answers = target.ask_as("j.user", PASSWORD, read("dblreq"))
    assert statuses(answers) == [200]
    assert not target.server.switch.calls


def test_every_message_of_rfc_5118_has_its_answer() -> None:
    assert sorted(RFC5118) == sorted(path.stem for path in (MESSAGES / "rfc5118").glob("*.dat"))


@pytest.mark.parametrize("name", RFC5118)
def test_ipv6_messages_are_answered_to_where_they_came_from(target: Besieged, name: str) -> None:
    section, to_stranger, to_account = RFC5118[name]
    data = read(name, "rfc5118")
    target.send(data, IPV6_SOURCE)
    target.loop.run_until_complete(asyncio.sleep(0.1))
    ((sent, destination),) = target.network.heard
    assert statuses([sent]) == [to_stranger], section
    port = {"mult-ip-in-header": 6050, "ipv4-mapped-ipv6": 19823}.get(name, 5060)
    assert destination == Address(IPV6_SOURCE.host, port)
    target.network.heard.clear()
    assert finals(target.ask_as("user", PASSWORD, data))[-1] == to_account, section
    target.check()
