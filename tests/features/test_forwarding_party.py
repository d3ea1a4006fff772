"""A telephone of another system is forwarded to OneNumber: whose it is, by Diversion or by prefix and extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.features.test_one_number import SITE, far_end, profile

from ringfence.features.one_number.gateway import extension_in
from ringfence.server.site.site import Site, SiteError

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall

GATEWAY = '[one_number]\nnumber = "800"\nprefix = "801"\n'
WITH_GATEWAY = GATEWAY + SITE
WITH_PATTERN = GATEWAY + "pattern = '^(?:\\+49)?7([0-9]{3})$'\n" + SITE
pytestmark = [pytest.mark.virtual_time, pytest.mark.ringfence(site=WITH_GATEWAY)]
ROOT = "08955550"


async def forwarded(pbx: PbxUnderTest, *diversions: str, number: str = "800") -> PhoneCall:
    """Call by the trunk, as the other system does."""
    far = await far_end(pbx)
    return await far.dial(ROOT + number, headers=tuple(("Diversion", value) for value in diversions))


async def rings_anna(pbx: PbxUnderTest, *diversions: str, number: str = "800") -> None:
    soft = await pbx.phone("anna")
    call = await forwarded(pbx, *diversions, number=number)
    ringing = await soft.ringing()
    assert ringing.caller == "01711"
    await ringing.answer()
    await call.answered()
    await call.hang_up()


@pytest.mark.parametrize(
    "diversion",
    [
        f"<sip:{ROOT}100@pbx.example>;reason=unconditional",
        "<sip:100@pbx.example>",
        f'"Anna" <tel:{ROOT}100>;counter=1',
    ],
)
async def test_the_call_is_that_of_whose_telephone_forwarded_it(pbx: PbxUnderTest, diversion: str) -> None:
    await rings_anna(pbx, diversion)


@pytest.mark.ringfence(site=WITH_PATTERN)
@pytest.mark.parametrize("number", ["7100", "+497100"])
async def test_a_pattern_picks_the_extension(pbx: PbxUnderTest, number: str) -> None:
    await rings_anna(pbx, f"<sip:{number}@pbx.example>")


async def test_of_several_the_last_to_forward_counts_who_is_named_first(pbx: PbxUnderTest) -> None:
    """RFC 5806 4: Clara's telephone went to Anna's, and Anna's to the gateway."""
    await rings_anna(pbx, f"<sip:{ROOT}100@pbx.example>", f"<sip:{ROOT}102@pbx.example>")


@pytest.mark.parametrize(
    "diversions",
    [
        (f"<sip:{ROOT}102@pbx.example>", f"<sip:{ROOT}100@pbx.example>"),
        (f"<sip:{ROOT}102@pbx.example>;counter=2",),
        ("<sip:0731555@pbx.example>", f"<sip:{ROOT}100@pbx.example>"),
    ],
)
async def test_a_chain_that_hides_the_user_is_rejected(
    pbx: PbxUnderTest, diversions: tuple[str, ...]
) -> None:
    """Whoever is named last to have forwarded has no OneNumber, so that somebody else has forwarded it here."""
    soft = await pbx.phone("anna")
    call = await forwarded(pbx, *diversions)
    assert (call.status, call.reason) == (403, "forwarding_party.hidden")
    assert not soft.calls


@pytest.mark.parametrize(
    "diversions", [(), ("<sip:0731555@pbx.example>",), ("<sip:@pbx.example>",), ("nonsense",)]
)
async def test_without_a_diversion_that_names_a_user_the_call_is_nobodys(
    pbx: PbxUnderTest, diversions: tuple[str, ...]
) -> None:
    call = await forwarded(pbx, *diversions)
    assert (call.status, call.reason) == (404, "forwarding_party.unknown")


async def test_a_prefix_and_the_extension_need_no_diversion(pbx: PbxUnderTest) -> None:
    await rings_anna(pbx, f"<sip:{ROOT}102@pbx.example>", f"<sip:{ROOT}100@pbx.example>", number="801100")


async def test_behind_the_prefix_there_is_nothing_but_extensions(pbx: PbxUnderTest) -> None:
    call = await forwarded(pbx, number="801999")
    assert (call.status, call.reason) == (404, "number.unknown")


async def test_his_profile_rings_and_his_own_forwarding_follows(pbx: PbxUnderTest) -> None:
    await profile(pbx, numbers=["01722"])
    outside, clara = await far_end(pbx), await pbx.phone("102")
    call = await outside.dial(f"{ROOT}800", headers=(("Diversion", f"<sip:{ROOT}100@pbx.example>"),))
    ringing = await outside.ringing()
    assert ringing.called == "1722"
    ringing.refuse(480)
    await clara.answer()
    await call.answered()
    await call.hang_up()


@pytest.mark.parametrize(
    ("extension", "reason"),
    [("101", "license.office_plus.under_licensed"), ("102", "function.not_configured")],
)
@pytest.mark.parametrize("by_prefix", [False, True])
async def test_a_user_without_seat_or_function_is_refused(
    pbx: PbxUnderTest, extension: str, reason: str, by_prefix: bool
) -> None:
    """L-47."""
    diversion = () if by_prefix else (f"<sip:{ROOT}{extension}@pbx.example>",)
    call = await forwarded(pbx, *diversion, number=f"801{extension}" if by_prefix else "800")
    assert (call.status, call.reason) == (403, reason)


async def test_from_inside_the_gateway_is_no_number(pbx: PbxUnderTest) -> None:
    """A Diversion that a telephone of the house writes is not believed."""
    clara = await pbx.phone("102")
    call = await clara.dial("800", headers=(("Diversion", "<sip:100@eins.example>"),))
    assert (call.status, call.reason) == (404, "number.unknown")


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ('number = "101"', "is in use by"),
        ('prefix = "10"', 'the prefix "10" of OneNumber begins the number 100 of the user "anna"'),
        ('prefix = "+"', 'the prefix "+" of OneNumber is no number'),
        ("pattern = '('", "is no regular expression"),
        ("pattern = '([0-9])([0-9])'", "has 2 groups"),
        (f"pattern = '{'(a)' + 'a' * 200}'", "is longer than 200 characters"),
        ('diversion = "x"', 'the key "diversion" is not known in [one_number]'),
    ],
)
def test_a_gateway_that_cannot_be_is_one_sentence(lines: str, what: str) -> None:
    with pytest.raises(SiteError) as error:
        Site.parse(f"[one_number]\n{lines}\n{SITE}")
    assert what in str(error.value)


def test_a_pattern_looks_at_the_beginning_of_a_long_number_only() -> None:
    assert extension_in("1" * 1000, "(1+)$") == "1" * 64
    assert extension_in("731", "8([0-9]+)") is None
