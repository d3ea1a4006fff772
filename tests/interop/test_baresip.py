"""baresip registers, calls and listens: a telephone that knows nothing of Ringfence, in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
from tests.tone_file import write_tone

from ringfence.channels.media.audio import Audio

from .program import Program
from .sounds import ANNOUNCED_HZ, announce, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringfence.fixtures.served import Served

pytestmark = pytest.mark.needs("baresip")
MODULES = ("/usr/lib/baresip/modules", "/usr/lib64/baresip/modules", "/usr/local/lib/baresip/modules")
TALKING = re.compile(r"audio=6\d{4}/6\d{4} ")
"""Audio both ways, in bit/s over the last seconds: a busy machine makes it a little more or less than 64,000."""
CONFIG = """\
module_path {modules}
module g711.so
module stdio.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module account.so
module menu.so
module mwi.so
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,{room}/said.wav
audio_player aubridge,heard
snd_path {room}
"""


class Baresip(Program):
    """One baresip; it says a tone and records what it hears."""

    goodbye = "/quit\n"

    def __init__(
        self,
        room: Path,
        server: str,
        account: str,
        password: str,
        *,
        tone_hz: int,
        options: str,
        transport: str,
        lamp: bool = False,
    ) -> None:
        room.mkdir()
        self._room = room
        modules = next(path for path in MODULES if Path(path).exists())
        (room / "config").write_text(CONFIG.format(modules=modules, room=room))
        (room / "accounts").write_text(
            f"<sip:{account}@{server};transport={transport}>;auth_pass={password};{options};"
            f"mwi={'yes' if lamp else 'no'}\n"
        )
        write_tone(room / "said.wav", tone_hz)
        super().__init__(["baresip", "-f", str(room)])

    def heard(self) -> Audio:
        """What came from the other end of the last call, once the phone has quit."""
        *_, recording = sorted(self._room.glob("dump-*-dec.wav"))
        return Audio.from_wav(recording)


@pytest.fixture
def telephone(served: Served, tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Start telephones for an account of the small site; afterwards they quit."""
    started: list[Baresip] = []

    def start(
        account: str,
        password: str,
        *,
        tone_hz: int = 440,
        options: str = "answermode=auto",
        transport: str = "udp",
        lamp: bool = False,
    ) -> Baresip:
        phone = Baresip(
            tmp_path / account,
            served.sips if transport == "tls" else served.sip,
            account,
            password,
            tone_hz=tone_hz,
            options=options,
            transport=transport,
            lamp=lamp,
        )
        started.append(phone)
        return phone

    yield start
    for phone in started:
        phone.quit()


@pytest.mark.parametrize("codec", ["pcma", "pcmu"])
def test_two_telephones_hear_each_other(telephone: Callable[..., Baresip], codec: str) -> None:
    options = f"answermode=auto;audio_codecs={codec}"
    ben = telephone("101", "Ben-1010-Birne", tone_hz=620, options=options)
    ben.shows("registered successfully")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=440, options=options)
    anna.shows("registered successfully")
    anna.press("/dial 101\n")
    for phone in (anna, ben):
        phone.shows("Call established")
        phone.shows_match(TALKING)
    anna.quit()
    ben.shows("terminated")
    ben.quit()
    assert ben.heard().contains_tone(440, threshold=0.9)
    assert anna.heard().contains_tone(620, threshold=0.9)


@pytest.mark.parametrize(
    ("of_ben", "of_anna"), [("tcp", "tcp"), ("tcp", "udp"), ("udp", "tls"), ("tls", "tcp"), ("tls", "tls")]
)
def test_two_telephones_talk_by_tcp_and_tls(
    telephone: Callable[..., Baresip], served: Served, of_ben: str, of_anna: str
) -> None:
    """Ben's is called over the connection by which it registered."""
    ben = telephone("101", "Ben-1010-Birne", tone_hz=620, transport=of_ben)
    ben.shows("registered successfully")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=440, transport=of_anna)
    anna.shows("registered successfully")
    anna.press("/dial 101\n")
    for phone in (anna, ben):
        phone.shows("Call established")
        phone.shows_match(TALKING)
    ben.press("/hangup\n")
    anna.shows("terminated")
    assert served.get("/api/v1/channels")["leases"] == []


@pytest.mark.needs("pylibsrtp")
@pytest.mark.parametrize(("of_ben", "of_anna"), [("srtp-mand", "srtp"), (None, "srtp-mand")])
def test_two_telephones_talk_by_srtp(
    telephone: Callable[..., Baresip], served: Served, of_ben: str | None, of_anna: str | None
) -> None:
    """RFC 4568 and RFC 8643 by TLS: `srtp` is RTP/AVP with keys, `srtp-mand` RTP/SAVP, and no other is taken."""

    def start(account: str, password: str, tone_hz: int, encryption: str | None) -> Baresip:
        options = "answermode=auto" + (f";mediaenc={encryption}" if encryption else "")
        transport = "tls" if encryption else "udp"
        phone = telephone(account, password, tone_hz=tone_hz, options=options, transport=transport)
        phone.shows("registered successfully")
        return phone

    ben = start("101", "Ben-1010-Birne", 620, of_ben)
    anna = start("100", "Anna-1000-Apfel", 440, of_anna)
    anna.press("/dial 101\n")
    for phone in (anna, ben):
        phone.shows("Call established")
        phone.shows_match(TALKING)
    (call,) = served.get("/api/v1/calls")
    for leg in served.get(f"/api/v1/calls/{call['id']}")["connections"]:
        encryption = of_anna if leg["device"] == "100" else of_ben
        assert leg["verdict"]["encryption"] == (encryption and "AES_CM_128_HMAC_SHA1_80")
        assert (leg["verdict"]["packets_unauthentic"], leg["verdict"]["packets_refused"]) == (0, 0)
    anna.quit()
    ben.shows("terminated")
    ben.quit()
    assert ben.heard().contains_tone(440, threshold=0.9)
    assert anna.heard().contains_tone(620, threshold=0.9)


def test_the_tone_of_9901_is_heard(telephone: Callable[..., Baresip], served: Served) -> None:
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=620)
    anna.shows("registered successfully")
    anna.press("/dial 9901\n")
    anna.shows_match(TALKING)
    anna.quit()
    assert anna.heard().contains_tone(440, threshold=0.9)
    assert served.get("/api/v1/channels")["leases"] == []


def test_a_message_is_what_the_telephone_said(
    telephone: Callable[..., Baresip], served: Served, tmp_path: Path
) -> None:
    """After the greeting, which the telephone hears; the message is read by HTTP."""
    announce(served, "/api/v1/users/ben/greeting", tmp_path)
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=620)
    anna.shows("registered successfully")
    anna.press("/dial *101\n")
    anna.shows_match(TALKING)
    sleep(2.5)
    anna.press("/hangup\n")
    anna.shows("terminated")
    anna.quit()
    assert anna.heard().power_at(ANNOUNCED_HZ) > 0.3
    left = message(served, "ben", tmp_path)
    assert left.duration_s > 1
    assert left.contains_tone(620, threshold=0.9)


def test_a_message_lights_the_lamp_until_it_is_heard_by_telephone(
    telephone: Callable[..., Baresip], served: Served, tmp_path: Path
) -> None:
    """RFC 3842: ben is told of anna's message, listens with his PIN and hears what she said, and the lamp goes out."""
    announce(served, "/api/v1/users/ben/greeting", tmp_path)
    ben = telephone("101", "Ben-1010-Birne", tone_hz=1000, lamp=True)
    ben.shows("Voice-Message: 0/0")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=620)
    anna.shows("registered successfully")
    anna.press("/dial *101\n")
    anna.shows("Call established")
    sleep(4)
    anna.press("/hangup\n")
    ben.shows("Messages-Waiting: yes")
    ben.shows("Voice-Message: 1/0")
    ben.press("/dial 199\n")
    ben.shows("Call established")
    ben.press("7193#")
    sleep(3.5)
    ben.press("#")
    ben.shows("Voice-Message: 0/1")
    ben.shows_again("Messages-Waiting: no")
    ben.quit()
    assert ben.heard().power_at(620) > 0.1
    assert served.get("/api/v1/channels")["leases"] == []


def test_an_attendant_is_heard_and_joins_the_telephone_with_the_one_that_it_chooses(
    telephone: Callable[..., Baresip], served: Served, tmp_path: Path
) -> None:
    """The menu is 440 Hz, the digit an event (RFC 4733), and then both hear each other."""
    announce(served, "/api/v1/attendants/zentrale/prompt", tmp_path)
    ben = telephone("101", "Ben-1010-Birne", tone_hz=1000)
    ben.shows("registered successfully")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=620)
    anna.shows("registered successfully")
    anna.press("/dial 200\n")
    anna.shows_match(TALKING)
    anna.press("2")
    ben.shows_match(TALKING)
    anna.quit()
    ben.shows("terminated")
    ben.quit()
    heard = anna.heard()
    assert heard.power_at(ANNOUNCED_HZ) > 0.1
    assert heard.power_at(1000) > 0.1
    assert heard.power_at(ANNOUNCED_HZ) + heard.power_at(1000) > 0.7
    assert ben.heard().contains_tone(620, threshold=0.9)


SIMPLE_MENU = 'menu = { "1" = "100", "2" = "101", "3" = "*102" }\n'
DEEP_MENU = """
menu = { "5" = "menu more" }
greetings = [{ when = { from = "internal" }, say = ["hello"], early = true }]
submenus = [{ name = "more", menu = { "7" = "dial extension" } }]
"""


@pytest.mark.parametrize("site", [(SIMPLE_MENU, DEEP_MENU)], indirect=True)
def test_an_attendant_greets_before_it_answers_and_leads_through_a_submenu_to_a_dialled_extension(
    telephone: Callable[..., Baresip], served: Served, tmp_path: Path
) -> None:
    """RFC 3960, and digits typed ahead of the menus that ask for them."""
    announce(served, "/api/v1/attendants/zentrale/sounds/hello", tmp_path)
    ben = telephone("101", "Ben-1010-Birne", tone_hz=1000)
    ben.shows("registered successfully")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=620)
    anna.shows("registered successfully")
    anna.press("/dial 200\n")
    anna.shows("Call established")
    anna.press("57101#")
    ben.shows_match(TALKING)
    anna.quit()
    ben.shows("terminated")
    ben.quit()
    assert anna.heard().between(0.1, 0.7).contains_tone(ANNOUNCED_HZ, threshold=0.9)
    assert ben.heard().contains_tone(620, threshold=0.9)


def test_baresip_and_ringfence_understand_each_other_s_reports(
    telephone: Callable[..., Baresip], served: Served
) -> None:
    """RFC 3550, 6: its report block of our stream, and a round trip by our sender report; RFC 5761 for Ben."""
    for account, password, mux in (("100", "Anna-1000-Apfel", "no"), ("101", "Ben-1010-Birne", "yes")):
        phone = telephone(account, password, options=f"answermode=auto;rtcp_mux={mux}")
        phone.shows("registered successfully")
        phone.press("/dial 9901\n")
        phone.shows_match(TALKING)
    for call in served.get("/api/v1/calls"):
        verdict, give_up_at = None, monotonic() + 30
        while not (verdict and verdict["remote"] and verdict["remote"]["round_trip_ms"] is not None):
            assert monotonic() < give_up_at, verdict
            sleep(0.2)
            (leg,) = served.get(f"/api/v1/calls/{call['id']}")["connections"]
            verdict = leg["verdict"]
        assert verdict["remote"]["round_trip_ms"] < 1000
        assert (verdict["remote"]["packets_lost"], verdict["packets_refused"]) == (0, 0)


def test_a_call_that_rings_is_picked_up_parked_and_taken_from_another_telephone(
    telephone: Callable[..., Baresip], served: Served
) -> None:
    """By `**8` and the extension that rings, by REFER to `*7`, and by the slot's number; who waits hears music."""
    ben = telephone("101", "Ben-1010-Birne", options="answermode=manual")
    clara = telephone("102", "Clara-1020-Kirsche", tone_hz=620)
    emil = telephone("104", "Emil-1040-Eiche", tone_hz=1000)
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=440)
    for phone in (ben, clara, emil, anna):
        phone.shows("registered successfully")
    anna.press("/dial 101\n")
    ben.shows("Incoming call")
    clara.press("/dial **8101\n")
    for phone in (anna, clara):
        phone.shows("Call established")
        phone.shows_match(TALKING)
    clara.press("/transfer *7\n")
    clara.shows("terminated")
    (waiting,) = served.get("/api/v1/parked")
    assert (waiting["device"], waiting["by"], waiting["number"]) == ("100", "102", "**71")
    emil.press(f"/dial {waiting['number']}\n")
    emil.shows("Call established")
    emil.shows_match(TALKING)
    assert served.get("/api/v1/parked") == []
    anna.quit()
    emil.shows("terminated")
    for phone in (clara, emil):
        phone.quit()
        assert phone.heard().contains_tone(440, threshold=0.9)
    assert anna.heard().power_at(620) > 0.05
    assert anna.heard().power_at(1000) > 0.05
    assert served.get("/api/v1/channels")["leases"] == []


def test_a_softphone_without_office_plus_is_told_so(telephone: Callable[..., Baresip]) -> None:
    """L-23: a softphone takes Office Plus; there are two, and dora is fourth in line."""
    dora = telephone("dora", "Dora-1030-Dattel")
    dora.shows("403 ")


@pytest.mark.parametrize("site", [("[security]", "[media]\ndirect = true\n\n[security]")], indirect=True)
def test_two_telephones_send_to_each_other_where_the_site_wants_it(
    telephone: Callable[..., Baresip], served: Served
) -> None:
    """RFC 3264 8: nothing goes through the server any more, each hears the other one, and a hold brings its music."""
    ben = telephone("101", "Ben-1010-Birne", tone_hz=620)
    ben.shows("registered successfully")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=440)
    anna.shows("registered successfully")
    anna.press("/dial 101\n")
    for phone in (anna, ben):
        phone.shows("Call established")
        phone.shows_match(TALKING)
    (call,) = served.get("/api/v1/calls")
    before = packets_at_rest(served, call["id"])
    for phone in (anna, ben):
        phone.shows_match(TALKING)
    ben.press("/hold\n")
    to_anna, give_up_at = before[1], monotonic() + 30
    while packets_of(served, call["id"])[1] < to_anna + 50:
        assert monotonic() < give_up_at, "no music"
        sleep(0.1)
    ben.press("/resume\n")
    packets_at_rest(served, call["id"])
    anna.quit()
    ben.shows("terminated")
    ben.quit()
    for phone, tone_hz in ((ben, 440), (anna, 620)):
        last = phone.heard().between(max(0.0, phone.heard().duration_s - 0.8))
        assert last.contains_tone(tone_hz, threshold=0.9)


def test_each_telephone_gets_packets_of_the_length_that_it_asked_for(
    telephone: Callable[..., Baresip], served: Served
) -> None:
    """RFC 8866 6.4: 40 ms for Anna, 20 for Ben, and the tones through both."""
    ben = telephone("101", "Ben-1010-Birne", tone_hz=620)
    ben.shows("registered successfully")
    anna = telephone("100", "Anna-1000-Apfel", tone_hz=440, options="answermode=auto;ptime=40")
    anna.shows("registered successfully")
    anna.press("/dial 101\n")
    for phone in (anna, ben):
        phone.shows_match(TALKING)
    (call,) = served.get("/api/v1/calls")
    received, to_anna, from_ben, to_ben = packets_of(served, call["id"])
    assert to_anna == pytest.approx(from_ben / 2, rel=0.1)
    assert to_ben == pytest.approx(2 * received, rel=0.1)
    anna.quit()
    ben.shows("terminated")
    ben.quit()
    assert ben.heard().contains_tone(440, threshold=0.9)
    assert anna.heard().contains_tone(620, threshold=0.9)


def packets_at_rest(served: Served, call: str) -> list[int]:
    """Wait until for a second nothing of a call goes through the server any more, and return what had."""
    before, give_up_at = packets_of(served, call), monotonic() + 30
    while monotonic() < give_up_at:
        sleep(1)
        now = packets_of(served, call)
        if now == before:
            return now
        before = now
    raise AssertionError(f"the server still carries the call: {before}")


def packets_of(served: Served, call: str) -> list[int]:
    """Return what the server has received and sent of each leg's audio."""
    verdicts = [leg["verdict"] for leg in served.get(f"/api/v1/calls/{call}")["connections"]]
    return [verdict[what] for verdict in verdicts for what in ("packets_received", "packets_sent")]


def test_who_found_a_telephone_busy_is_called_back_and_a_code_of_his_counts(
    telephone: Callable[..., Baresip], served: Served
) -> None:
    """By `**40` Ben wants no second call, by `**31` Clara wants to be called back; her telephone rings first."""
    ben = telephone("101", "Ben-1010-Birne", tone_hz=620)
    clara = telephone("102", "Clara-1020-Kirsche", tone_hz=440)
    for phone in (ben, clara):
        phone.shows("registered successfully")
    ben.press("/dial **40\n")
    ben.shows("terminated")
    ben.press("/dial 9900\n")
    ben.shows_again("Call established")
    clara.press("/dial 101\n")
    clara.shows("486 Busy Here")
    clara.press("/dial **31\n")
    clara.shows("Call established")
    assert served.get("/api/v1/users/clara/call_back")["number"] == "101"
    ben.press("/hangup\n")
    clara.shows("answering call")
    ben.shows("answering call")
    sleep(1.5)
    clara.quit()
    ben.quit()
    assert ben.heard().contains_tone(440, threshold=0.9)
