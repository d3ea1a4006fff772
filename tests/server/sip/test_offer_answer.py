from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.plane import Codec, Remote
from ringfence.channels.network import Address
from ringfence.server.sip import offer_answer
from ringfence.server.sip.offer_answer import (
    NARROWBAND,
    Agreed,
    agreed_from_answer,
    answer,
    offer,
    with_first,
)
from ringfence.server.sip.sdp import Direction, Sdp, SdpError

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
AUDIO = "m=audio 40000 RTP/AVP 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"


def offered(*lines: str, host: str = "192.0.2.7") -> str:
    return HEAD.format(host=host).replace("IN IP4", "IN IP6" if ":" in host else "IN IP4").replace(
        "IP6 192.0.2.7", "IP4 192.0.2.7"
    ) + "".join(lines)


def answer_to(
    *lines: str, host: str = "192.0.2.7", direction: Direction = Direction.SENDRECV
) -> tuple[Sdp, Agreed]:
    text, agreed = answer(
        offered(*lines, host=host), "192.0.2.1", 20000, session_id=5, version=6, direction=direction
    )
    return Sdp.parse(text), agreed


@given(
    st.permutations([Codec.PCMA, Codec.PCMU]),
    st.integers(1, 2),
    st.sampled_from(Direction),
    st.sampled_from(Direction),
    st.none() | st.integers(96, 127),
    st.sampled_from([10, 20, 30, 40]),
)
def test_both_sides_agree_on_the_same(
    codecs: list[Codec], count: int, ours: Direction, theirs: Direction, dtmf: int | None, ptime_ms: int
) -> None:
    """RFC 3264 sections 5 and 6: what one side sends, the other receives."""
    first = offer(
        "192.0.2.1", 4000, session_id=1, version=1, codecs=codecs[:count], direction=ours,
        dtmf_payload=dtmf, ptime_ms=ptime_ms,
    )  # fmt: skip
    second, at_answerer = answer(first, "192.0.2.2", 5000, session_id=2, version=1, direction=theirs)
    at_offerer = agreed_from_answer(first, second)
    assert at_answerer.address == Address("192.0.2.1", 4000)
    assert at_offerer.address == Address("192.0.2.2", 5000)
    assert at_answerer.codec is at_offerer.codec is codecs[0]
    assert at_answerer.dtmf_payload == at_offerer.dtmf_payload == dtmf
    assert at_answerer.ptime_ms == at_offerer.ptime_ms == ptime_ms
    assert at_offerer.sends == (theirs.sends and ours.receives)
    assert at_offerer.receives == (theirs.receives and ours.sends)


@pytest.mark.parametrize(("number", "agreed"), [(63, 63), (64, None), (72, None), (95, None), (96, 96)])
def test_telephone_events_whose_type_looks_like_rtcp_are_not_agreed(number: int, agreed: int | None) -> None:
    """RFC 5761 section 4: they could not be told from reports; digits are heard as tones then."""
    audio = f"m=audio 40000 RTP/AVP 8 {number}\r\na=rtpmap:{number} telephone-event/8000\r\n"
    body, settled = offer_answer.answer(offered(audio), "127.0.0.1", 20000, session_id=1, version=1)
    assert settled.dtmf_payload == agreed
    assert ("telephone-event" in body) is (agreed is not None)


def test_the_first_codec_of_the_offer_is_taken_with_its_numbers() -> None:
    sdp, agreed = answer_to(AUDIO)
    assert (agreed.codec, agreed.dtmf_payload, agreed.ptime_ms) == (Codec.PCMU, 96, 20)
    assert sdp.media[0].formats == ("0", "96")
    assert (sdp.session_id, sdp.version, sdp.host) == (5, 6, "192.0.2.1")


def test_it_is_ready_for_the_media_plane() -> None:
    _, agreed = answer_to(AUDIO, "a=sendonly\r\n")
    assert agreed.remote("192.0.2.99") == Remote(
        Address("192.0.2.7", 40000),
        "192.0.2.99",
        Codec.PCMU,
        20,
        96,
        sends=True,
        receives=False,
        rtcp=Address("192.0.2.7", 40001),
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_hold_is_mirrored(theirs: str, ours: str) -> None:
    """RFC 3264 section 6.1."""
    sdp, agreed = answer_to(AUDIO, f"a={theirs}\r\n")
    assert sdp.direction(sdp.media[0]) == ours
    assert (agreed.sends, agreed.receives) == (Direction(theirs).sends, Direction(theirs).receives)


def test_the_old_hold_by_address_is_inactive() -> None:
    """RFC 3264 section 8.4."""
    sdp, agreed = answer_to(AUDIO, host="0.0.0.0")
    assert (agreed.sends, agreed.receives) == (False, False)
    assert sdp.direction(sdp.media[0]) is Direction.INACTIVE


def test_every_other_stream_is_declined_in_its_place() -> None:
    """RFC 3264 section 6."""
    sdp, agreed = answer_to(
        "m=video 3000 RTP/AVP 31\r\n",
        "m=audio 3002 RTP/SAVP 8\r\n",
        "m=audio 3004 RTP/AVP 18\r\n",
        AUDIO,
        AUDIO,
    )
    assert [line.port for line in sdp.media] == [0, 0, 0, 20000, 0]
    assert [line.kind for line in sdp.media] == ["video", "audio", "audio", "audio", "audio"]
    assert sdp.media[1].protocol == "RTP/SAVP"
    assert agreed.address.port == 40000


def test_the_address_of_the_stream_counts_before_that_of_the_session() -> None:
    _, agreed = answer_to(AUDIO, "c=IN IP6 2001:db8::7\r\n", host="192.0.2.7")
    assert agreed.address == Address("2001:db8::7", 40000)


@pytest.mark.parametrize(
    ("lines", "ptime_ms"),
    [
        ("a=ptime:30\r\n", 30),
        ("a=ptime:25\r\n", 20),
        ("a=ptime:x\r\n", 20),
        ("a=ptime:0\r\n", 20),
        ("a=ptime:1000\r\n", 20),
        ("a=ptime:40\r\na=maxptime:30\r\n", 30),
        ("a=maxptime:5\r\n", 10),
    ],
)
def test_packet_times_are_those_we_can_keep(lines: str, ptime_ms: int) -> None:
    assert answer_to(AUDIO, lines)[1].ptime_ms == ptime_ms


@pytest.mark.parametrize(
    "host",
    ["224.2.1.1", "239.1.2.3", "255.255.255.255", "240.0.0.1", "127.255.255.255", "0.0.0.1", "ff02::1"],
)
def test_an_address_that_is_no_single_host_is_refused(host: str) -> None:
    with pytest.raises(SdpError) as caught:
        answer_to(AUDIO, host=host)
    assert caught.value.reason == "media.incompatible"


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "m=video 3000 RTP/AVP 31\r\n",
        "m=audio 0 RTP/AVP 8\r\n",
        "m=audio 3000 RTP/AVP 18 101\r\n",
        "m=audio 3000 RTP/SAVP 8\r\n",
        "m=audio 3000 RTP/AVP 8\r\na=rtpmap:8 G729/8000\r\n",
        "m=audio 3000 RTP/AVP 8\r\na=rtpmap:8 PCMA/16000\r\n",
        "m=audio 3000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000/2\r\n",
        "m=audio 3000 RTP/AVP 8\r\na=rtpmap:broken\r\n",
        "m=audio 3000 RTP/AVP x\r\n",
    ],
)
def test_no_stream_in_common_is_refused(lines: str) -> None:
    with pytest.raises(SdpError):
        answer_to(lines)


def test_an_odd_fmtp_disturbs_nothing() -> None:
    assert answer_to(AUDIO, "a=fmtp:96\r\n", "a=fmtp:\r\n", "a=fmtp:x y z\r\n")[1].dtmf_payload == 96


def test_no_address_at_all_is_refused() -> None:
    with pytest.raises(SdpError, match="c="):
        answer(offered(AUDIO).replace("c=IN IP4 192.0.2.7\r\n", ""), "192.0.2.1", 1, session_id=1, version=1)


@pytest.mark.parametrize(
    "lines", ["", "m=audio 0 RTP/AVP 8\r\n", "m=audio 3000 RTP/AVP 18\r\n", AUDIO + AUDIO]
)
def test_an_answer_that_agrees_to_nothing_is_refused(lines: str) -> None:
    ours = offer("192.0.2.1", 4000, session_id=1, version=1)
    with pytest.raises(SdpError):
        agreed_from_answer(ours, offered(lines))


def test_an_answer_takes_nothing_that_was_not_offered() -> None:
    ours = offer("192.0.2.1", 4000, session_id=1, version=1, codecs=[Codec.PCMA])
    with pytest.raises(SdpError):
        agreed_from_answer(ours, offered("m=audio 3000 RTP/AVP 0\r\n"))
    assert agreed_from_answer(ours, offered(AUDIO)).codec is Codec.PCMA


@pytest.mark.parametrize(
    ("attribute", "place"),
    [
        ("", Address("192.0.2.7", 40001)),
        ("a=rtcp:53020\r\n", Address("192.0.2.7", 53020)),
        ("a=rtcp:53020 IN IP4 192.0.2.8\r\n", Address("192.0.2.8", 53020)),
        ("a=rtcp:53020 IN IP6 2001:DB8::1\r\n", Address("2001:db8::1", 53020)),
        ("a=rtcp:0\r\n", None),
        ("a=rtcp:65536\r\n", None),
        ("a=rtcp:53020 IN IP4 dead.beef\r\n", None),
        ("a=rtcp\r\n", None),
    ],
)
def test_reports_go_to_the_port_above_or_where_rtcp_says(attribute: str, place: Address | None) -> None:
    """RFC 3550, 11 and RFC 3605."""
    assert answer_to(AUDIO, attribute)[1].rtcp == place


def test_there_is_no_port_above_the_last_one() -> None:
    assert answer_to(AUDIO.replace("40000", "65535"))[1].rtcp is None


def test_reports_share_the_port_of_the_audio_where_that_is_offered() -> None:
    """RFC 5761, 5.1.1: the answer says so, too; without an offer it does not."""
    sdp, agreed = answer_to(AUDIO, "a=rtcp-mux\r\n")
    assert agreed.rtcp_mux
    assert ("rtcp-mux", None) in sdp.media[0].attributes
    sdp, agreed = answer_to(AUDIO)
    assert not agreed.rtcp_mux
    assert ("rtcp-mux", None) not in sdp.media[0].attributes


WIDE = offered("m=audio 4000 RTP/AVP 9 8\r\n")


@pytest.mark.parametrize(("preferred", "format_"), [(None, "8"), (Codec.G722, "9"), (Codec.PCMA, "8")])
def test_g722_is_taken_where_it_is_bridged_and_g711_else(preferred: Codec | None, format_: str) -> None:
    """RFC 3551 4.5.2; who offers it first is bridged to somebody who is offered it first."""
    text, agreed = answer(
        WIDE,
        "192.0.2.1",
        20000,
        session_id=1,
        version=1,
        supported=[*NARROWBAND, Codec.G722],
        preferred=preferred,
    )
    assert Sdp.parse(text).media[0].formats == (format_,)
    assert (agreed.codec is Codec.G722) == (format_ == "9")


def test_g722_alone_is_taken_where_the_library_is_there_and_else_refused() -> None:
    """Its clock is 8000 Hz in SDP, whatever it is sampled with."""
    alone = offered("m=audio 4000 RTP/AVP 9\r\n", "a=rtpmap:9 G722/8000\r\n")
    text, agreed = answer(
        alone, "192.0.2.1", 20000, session_id=1, version=1, supported=[*NARROWBAND, Codec.G722]
    )
    assert agreed.codec is Codec.G722
    assert "a=rtpmap:9 G722/8000\r\n" in text
    with pytest.raises(SdpError, match="PCMA or PCMU"):
        answer(alone, "192.0.2.1", 20000, session_id=1, version=1, supported=NARROWBAND)


def test_g722_is_offered_only_on_behalf_of_who_has_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offer_answer, "ALL_CODECS", (*NARROWBAND, Codec.G722))
    assert with_first(Codec.G722) == [Codec.G722, Codec.PCMA, Codec.PCMU]
    assert with_first(Codec.PCMU) == [Codec.PCMU, Codec.PCMA]
    assert with_first(None) == [Codec.PCMA, Codec.PCMU]
