"""Linphone registers, calls, holds and is called: the library inside many telephones, by its console program."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.tone_file import write_tone

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SAMPLE_RATE_HZ, decode
from ringfence.channels.media.plane import Codec
from ringfence.channels.media.prompts import music_payload

from .conftest import PASSWORDS
from .program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("linphonec")
CONFIG = """\
[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
verify_server_certs=0
verify_server_cn=0
media_encryption={encryption}
media_encryption_mandatory={mandatory:d}
default_proxy=0
guess_hostname=0
contact=<sip:{account}@127.0.0.1>
use_ipv6=0
[rtp]
audio_rtp_port={rtp}
[video]
automatically_initiate=0
automatically_accept=0
[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_route=<sip:{server};transport={transport};lr>
reg_identity=sip:{account}@klein.example
reg_expires=600
reg_sendregister=1
[auth_info_0]
username={account}
passwd={password}
realm=klein.example
"""
TRIES = 40


class Linphone(Program):
    """One linphonec without a sound card; it says a tone and records what it hears."""

    def __init__(
        self, room: Path, served: Served, account: str, *, transport: str, tone_hz: int, mandatory: bool
    ) -> None:
        (room / ".local" / "share" / "linphone").mkdir(parents=True)
        write_tone(room / "said.wav", tone_hz)
        self._room = room
        (room / "config").write_text(
            CONFIG.format(
                account=account,
                password=PASSWORDS[account],
                server=served.sips if transport == "tls" else served.sip,
                transport=transport,
                encryption="srtp" if transport == "tls" else "none",
                mandatory=mandatory,
                udp=_free_port() if transport == "udp" else 0,
                tcp=_free_port() if transport == "tcp" else 0,
                tls=_free_port() if transport == "tls" else 0,
                rtp=_free_port(),  # Linphone shares a port with others rather than take another one
            )
        )
        super().__init__(["env", f"HOME={room}", "linphonec", "-d", "0", "-c", str(room / "config")])
        self.press(f"soundcard use files\nrecord {room}/heard.wav\nplay {room}/said.wav\n")

    def registered(self) -> Linphone:
        """Wait until it is; of that it tells nothing by itself."""
        for _ in range(TRIES):
            self.press("status register\n")
            if self.comes_to_show("registered, identity=", 0.25):
                return self
        raise AssertionError("linphonec is not registered")

    def heard(self) -> Audio:
        """What came from the other end, once the phone has quit."""
        return Audio.from_wav(self._room / "heard.wav")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def telephone(served: Served, tmp_path: Path) -> Iterator[Callable[..., Linphone]]:
    """Start registered telephones for an account of the small site; afterwards they quit."""
    started: list[Linphone] = []

    def start(
        account: str, transport: str = "udp", tone_hz: int = 620, *, mandatory: bool = False
    ) -> Linphone:
        room = tmp_path / account
        started.append(
            Linphone(room, served, account, transport=transport, tone_hz=tone_hz, mandatory=mandatory)
        )
        return started[-1].registered()

    yield start
    for one in started:
        one.quit()


def talk(anna: Linphone, ben: Linphone) -> None:
    """Let Anna call Ben and both talk for a second."""
    anna.press("call 101\n")
    ben.shows("Receiving new incoming call")
    anna.shows("ringing")
    ben.press("answer\n")
    for one in (anna, ben):
        one.shows("Media streams established")
    assert not anna.comes_to_show("ended", 1.0)


def hang_up(anna: Linphone, ben: Linphone) -> None:
    """End the call; each has heard the tone of the other one."""
    anna.press("terminate\n")
    for one in (anna, ben):
        one.shows("ended (No error)")
        one.quit()
    assert anna.heard().contains_tone(440)
    assert ben.heard().contains_tone(620)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_telephones_hear_each_other(telephone: Callable[..., Linphone], transport: str) -> None:
    """Both registered by digest (RFC 3261 22.4)."""
    anna, ben = telephone("100", transport, 620), telephone("101", transport, 440)
    talk(anna, ben)
    hang_up(anna, ben)


@pytest.mark.needs("pylibsrtp")
def test_two_telephones_by_tls_talk_by_srtp(telephone: Callable[..., Linphone], served: Served) -> None:
    """RFC 4568: RTP/SAVP by Anna's own wish, and by Ben's refusal of anything else; also after a hold."""
    anna, ben = telephone("100", "tls", 620), telephone("101", "tls", 440, mandatory=True)
    talk(anna, ben)
    anna.press("pause\n")
    anna.shows("is now paused")
    anna.press("resume\n")
    anna.shows_again("Media streams established")
    assert not anna.comes_to_show("ended", 1.0)
    (call,) = served.get("/api/v1/calls")
    for leg in served.get(f"/api/v1/calls/{call['id']}")["connections"]:
        assert leg["verdict"]["encryption"] == "AES_CM_128_HMAC_SHA1_80"
        assert leg["verdict"]["packets_unauthentic"] == 0
    hang_up(anna, ben)


def test_a_call_that_is_held_and_taken_back_goes_on(
    telephone: Callable[..., Linphone], served: Served
) -> None:
    """RFC 3264 8.4: after the pause the tone of 9901 is heard again."""
    anna = telephone("100")
    anna.press("call 9901\n")
    anna.shows("Media streams established")
    anna.press("pause\n")
    anna.shows("is now paused")
    anna.press("resume\n")
    anna.shows_again("Media streams established")
    assert not anna.comes_to_show("ended", 1.0)
    anna.press("terminate\n")
    anna.shows("ended (No error)")
    anna.quit()
    assert anna.heard().contains_tone(440)
    assert served.get("/api/v1/calls") == []


def test_who_is_held_hears_the_music_until_he_is_taken_back(telephone: Callable[..., Linphone]) -> None:
    """RFC 3264 8.4, by a media worker: the tone, the piece from its beginning, and the tone again."""
    anna, ben = telephone("100", tone_hz=620), telephone("101", tone_hz=440)
    talk(anna, ben)
    anna.press("pause\n")
    anna.shows("is now paused")
    assert not anna.comes_to_show("ended", 2.0)
    anna.press("resume\n")
    anna.shows_again("Media streams established")
    assert not anna.comes_to_show("ended", 1.0)
    anna.press("terminate\n")
    for one in (anna, ben):
        one.shows("ended (No error)")
        one.quit()
    heard = ben.heard()
    begin_s = next(at for at, sample in enumerate(heard.samples) if abs(sample) > 1000) / SAMPLE_RATE_HZ
    assert heard.between(begin_s, begin_s + 0.5).contains_tone(620, threshold=0.9)
    assert heard.between(heard.duration_s - 0.6, heard.duration_s - 0.1).contains_tone(620, threshold=0.9)
    places = [place for place in map(_place_in_the_piece, _quarters(heard)) if place is not None]
    assert len(places) > 3
    assert places == sorted(places)
    assert places[0] < SAMPLE_RATE_HZ


def test_who_asked_a_colleague_first_hands_the_call_to_her(
    telephone: Callable[..., Linphone], served: Served
) -> None:
    """Attended transfer: Anna holds Ben, talks to Clara, and leaves by REFER with Replaces (RFC 5589 7)."""
    anna, ben, clara = (
        telephone("100", tone_hz=620),
        telephone("101", tone_hz=440),
        telephone("102", tone_hz=880),
    )
    talk(anna, ben)
    anna.press("pause\n")
    anna.shows("is now paused")
    anna.press("call 102\n")
    clara.shows("Receiving new incoming call")
    clara.press("answer\n")
    clara.shows("Media streams established")
    assert not clara.comes_to_show("ended", 1.0)
    anna.press("transfer 1 --to-call 2\n")
    anna.shows("ended (No error)")
    assert not ben.comes_to_show("ended", 2.0)
    (call,) = served.get("/api/v1/calls")
    assert {one["device"] for one in call["connections"]} == {"101", "102"}
    ben.press("terminate\n")
    for one in (ben, clara):
        one.shows("ended (No error)")
        one.quit()
    assert ben.heard().between(ben.heard().duration_s - 1.5, ben.heard().duration_s - 0.5).contains_tone(880)
    assert (
        clara.heard()
        .between(clara.heard().duration_s - 1.5, clara.heard().duration_s - 0.5)
        .contains_tone(440)
    )


def _quarters(heard: Audio) -> Iterator[NDArray[np.float64]]:
    """Cut what was heard into quarters of a second."""
    for start in range(0, len(heard.samples) - SAMPLE_RATE_HZ // 4, SAMPLE_RATE_HZ // 4):
        yield np.array(heard.samples[start : start + SAMPLE_RATE_HZ // 4], float)


def _place_in_the_piece(part: NDArray[np.float64]) -> int | None:
    """Return at which sample of the music's first five seconds `part` sounds, None if it is anything else."""
    piece = np.array(decode(music_payload(Codec.PCMA), Codec.PCMA)[: 5 * SAMPLE_RATE_HZ], float)
    loudness = np.sqrt(np.convolve(piece**2, np.ones(len(part)), "valid") * np.sum(part**2) + 1)
    likeness = np.correlate(piece, part, "valid") / loudness
    best = int(likeness.argmax())
    return best if likeness[best] > 0.98 else None


def test_a_refusal_of_the_far_end_is_told(telephone: Callable[..., Linphone]) -> None:
    anna, ben = telephone("100"), telephone("101")
    anna.press("call 101\n")
    ben.shows("Receiving new incoming call")
    ben.press("terminate\n")
    anna.shows("Call declined")
