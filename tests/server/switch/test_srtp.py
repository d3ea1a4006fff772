"""Calls with SRTP by SDES: who may have it, what telephones are offered, and bridges to those without (RFC 4568)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

import pytest
from tests.server.switch.talk import hears

from ringfence.channels.media import srtp
from ringfence.channels.media.plane import Tone
from ringfence.channels.media.srtp import Suite
from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.fixtures.plugin import read_site
from ringfence.server.app import Options
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.phones.phone import Account, Phone
from ringfence.server.sip.flow import Flow
from ringfence.server.sip.sdp import Direction, Sdp
from ringfence.server.switch.events import StreamEnded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ringfence.server.phones.call import PhoneCall
    from ringfence.server.sip.flow import Peer
    from ringfence.server.sip.message import Request

pytestmark = [pytest.mark.virtual_time, pytest.mark.needs("pylibsrtp")]
ANNA, BEN = ("100", "Anna-1000-Apfel"), ("101", "Ben-1010-Birne")
ALWAYS, OFF = (f'{read_site("small").text}\n[media]\nsrtp = "{one}"\n' for one in ("always", "off"))
DIRECT = f"{read_site('small').text}\n[media]\ndirect = true\n"
AVP, SAVP = "RTP/AVP", "RTP/SAVP"


class Desk:
    """A server with TLS, and its telephones."""

    def __init__(self, pbx: PbxUnderTest) -> None:
        self.pbx = pbx
        self.phones: list[Phone] = []

    async def phone(
        self,
        account: tuple[str, str],
        encrypts: Literal["never", "gladly", "always"] = "never",
        *,
        tls: bool = True,
    ) -> Phone:
        server, (name, password) = self.pbx.server, account
        assert server.sips is not None
        peer: Peer = Flow("TLS", server.sips) if tls else server.sip
        phone = await Phone.start(server.options.network, peer, Account(name, "klein.example", password))
        phone.encrypts = encrypts
        self.phones.append(phone)
        assert (await phone.register()).status == 200
        return phone

    async def bridged(self, caller: Phone, called: Phone) -> tuple[PhoneCall, PhoneCall]:
        call = await caller.dial(called.account)
        answered = await called.answer()
        await call.answered()
        return call, answered


@asynccontextmanager
async def desk(site: str = "small") -> AsyncIterator[Desk]:
    options = Options(seed=1, in_process=True, http_port=None, sips_port=0, network=MemoryNetwork())
    one = Desk(await PbxUnderTest.start(read_site(site), options))
    try:
        yield one
    finally:
        for phone in one.phones:
            await phone.stop()
        await one.pbx.stop()


def offered(call: PhoneCall) -> tuple[str, int]:
    """The profile of the INVITE that a telephone got, and how many keys were with it."""
    assert call.leg is not None
    (line,) = Sdp.parse(call.leg.request.body).media
    return line.protocol, [name for name, _ in line.attributes].count("crypto")


async def suites(*calls: PhoneCall) -> list[Suite | None]:
    """How the audio of each call was encrypted; they are ended, and nothing may have been thrown away."""
    await calls[0].hang_up()
    for call in calls:
        await call.ended()
        verdict = call.verdict
        assert (verdict.packets_unauthentic, verdict.packets_refused) == (0, 0)
        assert verdict.packets_received > 10
    return [call.verdict.encryption for call in calls]


@pytest.mark.parametrize("encrypts", ["gladly", "always"])
async def test_a_feature_speaks_srtp_with_who_called_so_by_tls(encrypts: Literal["gladly", "always"]) -> None:
    """RFC 4568 5.1.2 for RTP/SAVP; RFC 8643 for RTP/AVP with keys: the profile is answered as it was offered."""
    async with desk() as one:
        anna = await one.phone(ANNA, encrypts)
        call = await anna.dial("9901")
        await call.answered()
        assert call.response is not None
        (line,) = Sdp.parse(call.response.body).media
        assert line.protocol == (SAVP if encrypts == "always" else AVP)
        (crypto,) = (value for name, value in line.attributes if name == "crypto")
        assert crypto is not None
        assert crypto.startswith("1 AES_CM_128_HMAC_SHA1_80 inline:")
        await asyncio.sleep(1)
        assert (await call.heard()).contains_tone(440, 0.9)
        assert await suites(call) == [Suite.AES_80]
        ended = await one.pbx.wait_for(StreamEnded)
        assert (ended.verdict["encryption"], ended.verdict["packets_unauthentic"]) == (Suite.AES_80, 0)


@pytest.mark.parametrize("of_ben", ["never", "gladly", "always"])
@pytest.mark.parametrize("of_anna", ["never", "gladly", "always"])
async def test_each_leg_of_a_bridge_is_encrypted_as_its_telephone_wants(
    of_anna: Literal["never", "gladly", "always"], of_ben: Literal["never", "gladly", "always"]
) -> None:
    """The plane encrypts anew between the legs; who refuses RTP/AVP by 488 is offered RTP/SAVP."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA, of_anna), await one.phone(BEN, of_ben)
        call, answered = await one.bridged(anna, ben)
        assert offered(answered) == (SAVP if of_ben == "always" else AVP, 2)
        assert await hears(call, answered)
        assert await hears(answered, call)
        wanted = [None if encrypts == "never" else Suite.AES_80 for encrypts in (of_anna, of_ben)]
        assert await suites(call, answered) == wanted


async def test_who_insists_is_known_in_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own INVITE, or since it refused the other profile."""
    invited: list[Phone] = []
    take = Phone._take

    def note(phone: Phone, request: Request, source: Peer) -> None:
        invited.append(phone)
        take(phone, request, source)

    monkeypatch.setattr(Phone, "_take", note)
    async with desk() as one:
        anna, ben = await one.phone(ANNA, "always"), await one.phone(BEN, "always")
        for caller, called, invites in ((anna, ben, 2), (anna, ben, 1), (ben, anna, 1)):
            invited.clear()
            call, answered = await one.bridged(caller, called)
            assert invited == [called] * invites
            assert offered(answered) == (SAVP, 2)
            await call.hang_up()


async def test_a_telephone_that_refuses_either_profile_is_asked_for_both_again() -> None:
    """A 488 has other reasons, too; nothing is learnt then."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA), await one.phone(BEN)
        ben.busy_with = 488
        call = await anna.dial("101")
        assert (call.status, call.reason) == (488, "media.incompatible")
        ben.busy_with = None
        _, answered = await one.bridged(anna, ben)
        assert offered(answered) == (AVP, 2)


async def test_keys_are_not_taken_from_nor_told_to_a_telephone_without_tls() -> None:
    """RFC 4568 7: others could read them. With RTP/AVP they are left alone, RTP/SAVP is refused."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA, "always", tls=False), await one.phone(BEN, "gladly", tls=False)
        call = await anna.dial("9901")
        assert (call.status, call.reason) == (488, "media.srtp.in_clear")
        assert call.response is not None
        assert "media.srtp.in_clear" in (call.response.get("warning") or "")
        anna.encrypts = "gladly"
        call, answered = await one.bridged(anna, ben)
        assert offered(answered) == (AVP, 0)
        assert await hears(call, answered)
        assert await suites(call, answered) == [None, None]


async def test_a_site_may_allow_keys_that_others_can_read() -> None:
    async with desk(ALWAYS) as one:
        anna, ben = await one.phone(ANNA, "always", tls=False), await one.phone(BEN, "gladly", tls=False)
        call, answered = await one.bridged(anna, ben)
        assert offered(answered) == (AVP, 2)
        assert await hears(call, answered)
        assert await suites(call, answered) == [Suite.AES_80, Suite.AES_80]


async def test_a_site_may_do_without() -> None:
    async with desk(OFF) as one:
        anna, ben = await one.phone(ANNA, "always"), await one.phone(BEN, "gladly")
        call = await anna.dial("101")
        assert (call.status, call.reason) == (488, "media.srtp.off")
        anna.encrypts = "gladly"
        call, answered = await one.bridged(anna, ben)
        assert offered(answered) == (AVP, 0)
        assert await hears(call, answered)
        assert await suites(call, answered) == [None, None]


async def test_without_the_extra_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srtp, "IS_AVAILABLE", False)
    async with desk() as one:
        anna = await one.phone(ANNA, "always")
        call = await anna.dial("9901")
        assert (call.status, call.reason) == (488, "media.srtp.not_installed")
        anna.encrypts = "gladly"
        call = await anna.dial("9901")
        await call.answered()
        await asyncio.sleep(1)
        assert await suites(call) == [None]


async def test_a_hold_keeps_the_keys_and_their_counters() -> None:
    """RFC 3264 8: both ends offer again with the keys in use, whoever holds."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA, "always"), await one.phone(BEN, "gladly")
        call, answered = await one.bridged(anna, ben)
        for holding, held in ((call, answered), (answered, call)):
            assert await hears(call, answered)
            assert (await holding.reoffer(Direction.SENDONLY)).status == 200
            await asyncio.sleep(1)
            assert held.is_held
            assert (await holding.reoffer()).status == 200
            await asyncio.sleep(1)
            assert not held.is_held
            assert await hears(answered, call)
        assert await suites(call, answered) == [Suite.AES_80, Suite.AES_80]


@pytest.mark.parametrize(
    ("of_anna", "of_ben"), [("always", "always"), ("gladly", "never"), ("never", "gladly")]
)
async def test_early_media_are_encrypted_as_the_call_will_be(
    of_anna: Literal["never", "gladly", "always"], of_ben: Literal["never", "gladly", "always"]
) -> None:
    """RFC 3261 13.2.1: keys in the 183, which the 2xx repeats; they stay, and nothing is heard twice."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA, of_anna), await one.phone(BEN, of_ben)
        call = await anna.dial("101")
        ringing = await ben.ringing()
        ringing.progress()
        await call.progressed()
        early = call._keys
        assert (early is None) is (of_anna == "never")
        assert await hears(call, ringing)
        await ringing.answer()
        await call.answered()
        assert call._keys == early
        assert await hears(call, ringing)
        assert await hears(ringing, call)
        wanted = [None if encrypts == "never" else Suite.AES_80 for encrypts in (of_anna, of_ben)]
        assert await suites(call, ringing) == wanted


async def test_a_re_invite_with_a_new_key_is_followed() -> None:
    """RFC 3264 8.3 with a key that changes: nothing that comes after it is lost, and our key stays."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA, "always"), await one.phone(BEN)
        call, answered = await one.bridged(anna, ben)
        assert call._keys is not None
        before, call._keys = call._keys, None
        assert (await call.reoffer()).status == 200
        assert call._keys is not None
        assert (call._keys.theirs, call._keys.ours != before.ours) == (before.theirs, True)
        assert await hears(call, answered)
        assert await hears(answered, call)
        assert await suites(call, answered) == [Suite.AES_80, None]


async def test_audio_that_is_encrypted_stays_in_the_plane() -> None:
    """Decision 29: its keys are shared with the plane; two that are not encrypted send to each other."""
    async with desk(DIRECT) as one:
        anna, ben = await one.phone(ANNA, "gladly"), await one.phone(BEN)
        for encrypts in ("gladly", "never"):
            anna.encrypts = encrypts
            call, answered = await one.bridged(anna, ben)
            await asyncio.sleep(1)
            told = [connection.negotiation.told for connection in one.pbx.server.switch.connections.values()]
            assert [peer is None for peer in told] == [encrypts == "gladly"] * 2
            assert await hears(call, answered)
            assert await hears(answered, call)
            await call.hang_up()


async def test_no_key_is_told_by_events_calls_or_logs(capfd: pytest.CaptureFixture[str]) -> None:
    """Also what is printed of a connection that fails shows none."""
    async with desk() as one:
        anna, ben = await one.phone(ANNA, "always"), await one.phone(BEN, "gladly")
        call, answered = await one.bridged(anna, ben)
        await call.play(Tone((440,), 0.3))
        keys = [
            text for one in (call._keys, answered._keys) if one is not None for text in (one.ours, one.theirs)
        ]
        assert len(set(keys)) == 4
        agreed = [connection.agreed for connection in one.pbx.server.switch.connections.values()]
        told = [repr(agreed), repr(list(one.pbx.server.switch.connections.values()))]
        await call.hang_up()
        await one.pbx.wait_for(StreamEnded)
        told += [repr(stamped.event) for stamped in one.pbx.server.stream.recent]
        out, err = capfd.readouterr()
        assert not [key for key in keys if key in "".join((*told, out, err))]
