from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.sip.sdp import Direction, Media, RtpMap, Sdp, SdpError

HOSTS = st.ip_addresses().map(str)
TOKENS = st.from_regex(r"[a-z0-9\-]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)
ATTRIBUTES = st.lists(st.tuples(TOKENS, st.none() | VALUES), max_size=3).map(tuple)
MEDIA = st.builds(
    Media,
    st.sampled_from(["audio", "video", "application"]),
    st.integers(0, 65535),
    st.sampled_from(["RTP/AVP", "RTP/SAVP", "udp"]),
    st.lists(TOKENS, min_size=1, max_size=4).map(tuple),
    st.none() | HOSTS,
    ATTRIBUTES,
)
DESCRIPTIONS = st.builds(
    Sdp,
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    HOSTS,
    st.none() | HOSTS,
    st.lists(MEDIA, max_size=3).map(tuple),
    ATTRIBUTES,
    TOKENS,
    VALUES,
)
PLAIN = (
    "v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
)


@given(DESCRIPTIONS)
def test_descriptions_read_back_as_they_were_written(sdp: Sdp) -> None:
    assert Sdp.parse(str(sdp)) == sdp
    assert Sdp.parse(str(sdp).encode()) == sdp


@given(st.binary(max_size=80) | st.text("vomcast=IN4 6.:/0\r\n", max_size=80).map(str.encode))
def test_garbage_raises_nothing_but_sdp_errors(data: bytes) -> None:
    with suppress(SdpError):
        Sdp.parse(data)
    with suppress(SdpError):
        Sdp.parse(PLAIN.encode() + data)


def test_a_description_is_read_typed() -> None:
    sdp = Sdp.parse(PLAIN.replace("\r\n", "\n"))
    (audio,) = sdp.media
    assert (sdp.session_id, sdp.version, sdp.host, audio.host) == (1, 2, "192.0.2.7", None)
    assert (audio.kind, audio.port, audio.payload_types) == ("audio", 40000, (8, 101))
    assert audio.rtpmaps == {8: RtpMap("PCMA", 8000), 101: RtpMap("TELEPHONE-EVENT", 8000)}
    assert (audio.milliseconds("ptime"), audio.milliseconds("maxptime")) == (20, None)
    assert sdp.direction(audio) is Direction.SENDRECV


@pytest.mark.parametrize("level", ["session", "media"])
def test_the_nearer_direction_counts(level: str) -> None:
    """RFC 8866 section 6.7."""
    text = PLAIN.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n")
    sdp = Sdp.parse(text if level == "session" else text + "a=recvonly\r\n")
    assert sdp.direction(sdp.media[0]) == ("sendonly" if level == "session" else "recvonly")


@pytest.mark.parametrize("direction", Direction)
def test_a_direction_is_two_facts(direction: Direction) -> None:
    assert Direction.of(sends=direction.sends, receives=direction.receives) is direction


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"), ("v=0\r\n", ""), ("o=- 1 2 IN IP4 192.0.2.7", "o=- 1 2 IN IP4"),
        ("o=- 1", "o=- x"), ("o=- 1", "o=- -1"), ("o=- 1", "o=- ١"), ("o=- 1", "o=- " + "9" * 5000),
        ("IN IP4 192.0.2.7\r\nt", "IN IP6 192.0.2.7\r\nt"),
        ("IN IP4 192.0.2.7\r\nt", "IN IP4 host.example\r\nt"),
        ("IN IP4 192.0.2.7\r\nt", "IN IP4 224.2.1.1/127\r\nt"), ("IN IP4 192.0.2.7\r\nt", "IN IP4\r\nt"),
        ("audio 40000", "audio 70000"), ("audio 40000", "audio -1"), ("audio 40000", "audio ٣"),
        ("audio 40000", "audio 4/x"), (" 8 101", ""), ("m=audio", "m =audio"), ("s=-", "s"),
        ("s=-", "S=-"), ("s=-", "s=\0"), ("a=ptime", "a=p time"), (" 8 101", " 8" * 65),
        ("s=-\r\n", "s=-\r\nb=x\r\n" * 300), ("s=-\r\n", "s=-\r\n" + "m=audio 1 RTP/AVP 0\r\n" * 33),
    ],
)  # fmt: skip
def test_malformed_descriptions_are_refused(old: str, new: str) -> None:
    assert old in PLAIN
    with pytest.raises(SdpError) as caught:
        Sdp.parse(PLAIN.replace(old, new, 1))
    assert caught.value.reason == "media.incompatible"


@pytest.mark.parametrize(
    "value", ["", "8", "8 PCMA", "8 PCMA/x", "x PCMA/8000", "128 PCMA/8000", "8 PCMA/8000/x"]
)
def test_a_malformed_rtpmap_is_found_when_it_is_read(value: str) -> None:
    media = Media("audio", 1, "RTP/AVP", ("8",), None, (("rtpmap", value),))
    with pytest.raises(SdpError):
        _ = media.rtpmaps


def test_a_format_that_is_no_payload_type_is_found_when_it_is_read() -> None:
    with pytest.raises(SdpError):
        _ = Media("audio", 1, "RTP/AVP", ("8", "t38")).payload_types
