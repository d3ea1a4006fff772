"""Crypto attributes (RFC 4568): what is read, passed over, offered and answered."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.srtp import Keys, Suite
from ringfence.server.sip import sdes
from ringfence.server.sip.offer_answer import Agreed, agreed_from_answer, answer, offer
from ringfence.server.sip.sdes import UNKEYED, Crypto, Keying
from ringfence.server.sip.sdp import Sdp, SdpError
from ringfence.server.switch.negotiation import Negotiation

RFC_KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
"""The key of RFC 4568 9.3."""
OTHER = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
AES = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^20\r\n"
LAX = Keying(Random(1), None)
CLEAR = Keying(refusal="media.srtp.in_clear")


def line(protocol: str, *attributes: str, port: int = 4000) -> str:
    return f"m=audio {port} {protocol} 8\r\n" + "".join(attributes)


def answered(*lines: str, keying: Keying = LAX, in_use: Keys | None = None) -> tuple[Sdp, Agreed]:
    text, agreed = answer(
        HEAD + "".join(lines), "192.0.2.1", 20000, session_id=1, version=1, keying=keying, in_use=in_use
    )
    return Sdp.parse(text), agreed


def read(*values: str) -> list[Crypto]:
    return sdes.read(tuple(("crypto", value) for value in values))


# -- the attribute -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^20",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^48",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|1048576",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} WSH=64 KDR=0",
        f"1 AES_CM_128_HMAC_SHA1_80  inline:{RFC_KEY} -SOMETHING=new ",
    ],
)
def test_what_is_understood(value: str) -> None:
    """RFC 4568 6.1, 6.3 and 9.2: lifetimes, parameters that change nothing, and those that may be ignored."""
    assert read(value) == [Crypto(1, Suite.AES_80, RFC_KEY)]


@pytest.mark.parametrize(
    "value",
    [
        f"1 F8_128_HMAC_SHA1_80 inline:{RFC_KEY}",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|1:4",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^20|1:4",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^20|1:4;inline:{OTHER}|2^20|2:4",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} UNENCRYPTED_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} UNENCRYPTED_SRTCP",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} UNAUTHENTICATED_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} KDR=1",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} FEC_ORDER=FEC_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY} SOMETHING=new",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^19",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^49",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^99999999999999999",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}|^^",
        f"1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY[:-4]}",
        f"1 AEAD_AES_128_GCM inline:{RFC_KEY}",
        f"1 AES_CM_128_HMAC_SHA1_80 uri:{RFC_KEY}",
        f"1234567890 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}",
        f"+1 AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}",
        f"١ AES_CM_128_HMAC_SHA1_80 inline:{RFC_KEY}",
        "1 AES_CM_128_HMAC_SHA1_80",
        "",
    ],
)
def test_what_is_not_understood_is_passed_over(value: str) -> None:
    """RFC 4568 5.1.2 and 6.3: the next one counts."""
    assert read(value, f"2 AES_CM_128_HMAC_SHA1_32 inline:{OTHER}") == [Crypto(2, Suite.AES_32, OTHER)]


@given(st.text(max_size=200) | st.text("1 AES_CM128HMACSHA80inline:|^2=/+", max_size=200))
def test_nothing_that_may_stand_there_is_an_error(value: str) -> None:
    assert len(read(value)) <= 1


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("padding", ["", "="])
def test_what_is_written_is_read(suite: Suite, padding: str) -> None:
    """With or without the padding that base64 should have."""
    key = b64encode(bytes(range(suite.key_bytes))).decode()
    name, value = Crypto(7, suite, key).attribute
    value = value if padding else value.rstrip("=")
    assert sdes.read(((name, value),)) == [Crypto(7, suite, key)]


def test_keys_are_not_shown() -> None:
    assert RFC_KEY not in repr(Crypto(1, Suite.AES_80, RFC_KEY))


# -- offer and answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/AVP"])
def test_the_first_known_suite_is_answered_by_its_tag(protocol: str) -> None:
    """RFC 4568 5.1.2: tag and suite of the offer with a key of ours; RFC 8643 3.1 for RTP/AVP."""
    sdp, agreed = answered(
        line(
            protocol,
            "a=crypto:3 F8_128_HMAC_SHA1_80 inline:abcd\r\n",
            AES.replace("crypto:1", "crypto:4"),
            AES,
        )
    )
    (crypto,) = sdes.read(sdp.media[0].attributes)
    assert (sdp.media[0].protocol, crypto.tag, crypto.suite) == (protocol, 4, Suite.AES_80)
    assert agreed.keys == Keys(Suite.AES_80, crypto.key, RFC_KEY)
    assert crypto.key != RFC_KEY
    assert agreed.savp is (protocol == "RTP/SAVP")
    assert agreed.remote("192.0.2.7").keys == agreed.keys


def test_our_key_stays_while_the_suite_does() -> None:
    in_use = Keys(Suite.AES_80, OTHER, OTHER)
    for suite, same in (("AES_CM_128_HMAC_SHA1_80", True), ("AES_CM_128_HMAC_SHA1_32", False)):
        _, agreed = answered(line("RTP/SAVP", AES.replace("AES_CM_128_HMAC_SHA1_80", suite)), in_use=in_use)
        assert agreed.keys is not None
        assert (agreed.keys.theirs, agreed.keys.ours == OTHER) == (RFC_KEY, same)


@pytest.mark.parametrize(
    ("lines", "keying", "reason"),
    [
        ([line("RTP/SAVP", AES)], CLEAR, "media.srtp.in_clear"),
        ([line("RTP/SAVP", AES)], UNKEYED, "media.incompatible"),
        ([line("RTP/SAVP")], LAX, "media.srtp.unknown"),
        ([line("RTP/SAVP", "a=crypto:1 F8_128_HMAC_SHA1_80 inline:abcd\r\n")], LAX, "media.srtp.unknown"),
        ([line("UDP/TLS/RTP/SAVPF", AES)], LAX, "media.incompatible"),
        ([line("RTP/SAVP", AES).replace(" 8\r", " 97\r")], CLEAR, "media.incompatible"),
    ],
)
def test_an_offer_that_cannot_be_taken_says_why(lines: list[str], keying: Keying, reason: str) -> None:
    with pytest.raises(SdpError) as refused:
        answered(*lines, keying=keying)
    assert refused.value.reason == reason


@pytest.mark.parametrize(("keying", "taken"), [(LAX, 0), (CLEAR, 1)])
def test_of_two_streams_the_first_that_may_be_taken_is(keying: Keying, taken: int) -> None:
    """A telephone that would rather be encrypted offers one audio stream of each profile."""
    sdp, agreed = answered(line("RTP/SAVP", AES), line("RTP/AVP", port=4002), keying=keying)
    assert [media.port > 0 for media in sdp.media] == [taken == 0, taken == 1]
    assert (agreed.keys is None) is (taken == 1)


def test_keys_of_an_offer_in_the_clear_are_left_alone() -> None:
    sdp, agreed = answered(line("RTP/AVP", AES), keying=CLEAR)
    assert (agreed.keys, sdes.read(sdp.media[0].attributes)) == (None, [])


@pytest.mark.parametrize("savp", [False, True])
def test_both_sides_have_the_same_keys(savp: bool) -> None:
    """RFC 4568 5.1.3: of those that were offered the answer has chosen one."""
    first = offer("192.0.2.1", 4000, session_id=1, version=1, cryptos=LAX.offers(), savp=savp)
    second, theirs = answer(first, "192.0.2.2", 5000, session_id=2, version=1, keying=Keying(Random(2), None))
    ours = agreed_from_answer(first, second)
    assert ours.keys is not None
    assert theirs.keys == Keys(ours.keys.suite, ours.keys.theirs, ours.keys.ours)
    assert ours.savp is theirs.savp is savp


@pytest.mark.parametrize(
    "attribute",
    [
        "",
        AES.replace("crypto:1", "crypto:2"),
        AES.replace("SHA1_80", "SHA1_32"),
        AES.replace("crypto:1", "crypto:9"),
    ],
)
def test_an_answer_without_any_of_our_keys_is_plain_or_refused(attribute: str) -> None:
    """RFC 4568 5.1.3 for RTP/SAVP: never plain where it must be encrypted."""
    for protocol, savp in (("RTP/AVP", False), ("RTP/SAVP", True)):
        ours = offer("192.0.2.1", 4000, session_id=1, version=1, cryptos=LAX.offers(), savp=savp)
        theirs = HEAD + line(protocol, attribute)
        if savp:
            with pytest.raises(SdpError):
                agreed_from_answer(ours, theirs)
        else:
            assert agreed_from_answer(ours, theirs).keys is None


# -- offers of ours ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_offer_of_ours_goes_by_what_is_in_use(encrypted: bool) -> None:
    """RFC 3264 8: first several keys to choose from, then the one in use or none."""
    ours = Negotiation(1, "192.0.2.1")
    ours.keying = LAX
    cryptos = sdes.read(Sdp.parse(ours.offer(4000)).media[0].attributes)
    assert [crypto.suite for crypto in cryptos] == [Suite.AES_80, Suite.AES_32]
    assert len({crypto.key for crypto in cryptos}) == 2
    ours.take_answer((HEAD + line("RTP/AVP", AES if encrypted else "")).encode())
    again = sdes.read(Sdp.parse(ours.offer(4000)).media[0].attributes)
    assert again == cryptos[:1] * encrypted


def test_no_key_goes_where_others_can_read_it_when_a_telephone_comes_by_another_way() -> None:
    ours = Negotiation(1, "192.0.2.1")
    ours.keying = LAX
    ours.offer(4000)
    ours.take_answer((HEAD + line("RTP/AVP", AES)).encode())
    ours.keying = CLEAR
    assert b"crypto" not in ours.offer(4000)
