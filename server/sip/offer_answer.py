"""Offer and answer (RFC 3264) for one audio stream of G.711 or G.722 with telephone events (RFC 4733).

The switch and the scripted phones make offers, answer those of others, and learn from `Agreed` what the media
plane needs. Everything that is not audio over RTP/AVP or, where keys may be agreed, RTP/SAVP is declined with port 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import TYPE_CHECKING, Final

from ...channels.media import wideband
from ...channels.media.plane import Codec, Remote
from ...channels.media.rtp import RTCP_PAYLOAD_TYPES
from ...channels.network import Address
from . import sdes
from .sdes import UNKEYED
from .sdp import Attributes, Direction, Media, RtpMap, Sdp, SdpError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...channels.media.srtp import Keys
    from .sdes import Crypto, Keying

PAYLOAD_TYPES: Final = {Codec.PCMU: 0, Codec.PCMA: 8, Codec.G722: wideband.PAYLOAD_TYPE}
"""The static payload types of RFC 3551."""
NARROWBAND: Final = (Codec.PCMA, Codec.PCMU)
ALL_CODECS: Final = (*NARROWBAND, Codec.G722) if wideband.IS_AVAILABLE else NARROWBAND
DTMF_PAYLOAD: Final = 101
PTIME_MS: Final = 20
AVP: Final = "RTP/AVP"
SAVP: Final = "RTP/SAVP"

_CODECS: Final = {number: codec for codec, number in PAYLOAD_TYPES.items()}
_RTCP: Final = re.compile(r"([0-9]{1,5})(?: IN IP[46] ([0-9A-Fa-f.:]{2,45}))?")
_CLOCK_HZ: Final = 8000
_LONGEST_PTIME_MS: Final = 60
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")
_LOOPBACK_BROADCAST: Final = IPv4Address("127.255.255.255")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What offer and answer settled: one codec, and the far end's address, directions and formats.

    `rtcp` is where it hears reports, None for nowhere; with `rtcp_mux` that is the port of the RTP (RFC 5761).
    With `keys` all of it is encrypted; `savp` tells that the far end has it no other way.
    """

    address: Address
    codec: Codec
    dtmf_payload: int | None = None
    ptime_ms: int = PTIME_MS
    sends: bool = True
    receives: bool = True
    rtcp: Address | None = None
    rtcp_mux: bool = False
    keys: Keys | None = None
    savp: bool = False

    def remote(self, signalling_host: str, *, energy: bool = False) -> Remote:
        """Give it as the media plane wants it; `signalling_host` is where the far end's SIP came from.

        With `energy` the plane measures how loud it is.
        """
        return Remote(
            address=self.address,
            signalling_host=signalling_host,
            codec=self.codec,
            ptime_ms=self.ptime_ms,
            dtmf_payload=self.dtmf_payload,
            sends=self.sends,
            receives=self.receives,
            rtcp=self.rtcp,
            rtcp_mux=self.rtcp_mux,
            energy=energy,
            keys=self.keys,
        )


def offer(
    host: str,
    port: int,
    *,
    session_id: int,
    version: int,
    codecs: Sequence[Codec] = NARROWBAND,
    direction: Direction = Direction.SENDRECV,
    dtmf_payload: int | None = DTMF_PAYLOAD,
    ptime_ms: int = PTIME_MS,
    behalf: Agreed | None = None,
    cryptos: Sequence[Crypto] = (),
    savp: bool = False,
) -> str:
    """Write an offer of one audio stream at `host`:`port`, `codecs` and `cryptos` best first.

    With `savp` it has to be encrypted; else the far end may leave the `cryptos` alone (RFC 8643).
    With `behalf` the stream is that of another far end, in a session of ours all the same (RFC 3264 section 8).
    """
    if behalf is not None:
        return str(Sdp(session_id, version, host, behalf.address.host, (_audio_of(behalf, direction),)))
    audio = _audio(port, codecs, dtmf_payload, ptime_ms, direction)
    if cryptos:
        audio = replace(
            audio,
            protocol=SAVP if savp else AVP,
            attributes=(*audio.attributes, *(one.attribute for one in cryptos)),
        )
    return str(Sdp(session_id, version, host, host, (audio,)))


def with_first(codec: Codec | None) -> list[Codec]:
    """Return what to offer on behalf of somebody who has `codec` first: G.722 only to whom he can speak it."""
    codecs = ALL_CODECS if codec is Codec.G722 else NARROWBAND
    return sorted(codecs, key=lambda one: one is not codec)


def check(offered: Sdp, keying: Keying = UNKEYED) -> Codec:
    """Return the codec that an offer has first, if it can be answered; raises `SdpError` as `answer` does."""
    line, codecs = _first_usable(offered, ALL_CODECS, keying)
    return _agree(offered, offered.media[line], codecs, codecs[0]).codec


def answer(
    offered: Sdp | str | bytes,
    host: str,
    port: int,
    *,
    session_id: int,
    version: int,
    supported: Sequence[Codec] = ALL_CODECS,
    preferred: Codec | None = None,
    direction: Direction = Direction.SENDRECV,
    behalf: Agreed | None = None,
    keying: Keying = UNKEYED,
    in_use: Keys | None = None,
) -> tuple[str, Agreed]:
    """Answer an offer from `host`:`port`, or on `behalf` of another far end, and tell what is agreed.

    The first audio stream with a codec of `supported` is taken, with `preferred` if it is there, else with
    its first such codec, G.722 last: what is not bridged has no more than 4 kHz.
    `direction` is what we would like; the offer may allow less (RFC 3264 section 6.1).
    Keys that are offered are taken if `keying` allows it, for RTP/AVP, too (RFC 8643); `in_use` are those of before.
    Raises `SdpError` when there is no such stream or its address is not one of a single host.
    """
    sdp = offered if isinstance(offered, Sdp) else Sdp.parse(offered)
    chosen, codecs = _first_usable(sdp, supported, keying)
    agreed = _agree(sdp, sdp.media[chosen], codecs, preferred)
    ours = Direction.of(
        sends=direction.sends and agreed.receives, receives=direction.receives and agreed.sends
    )
    lines = [Media(line.kind, 0, line.protocol, line.formats) for line in sdp.media]
    if behalf is not None:
        lines[chosen] = _audio_of(behalf, ours)
        return str(Sdp(session_id, version, host, behalf.address.host, tuple(lines))), agreed
    lines[chosen] = _audio(port, [agreed.codec], agreed.dtmf_payload, agreed.ptime_ms, ours)
    if ("rtcp-mux", None) in sdp.media[chosen].attributes:
        agreed = replace(agreed, rtcp_mux=True)
        lines[chosen] = replace(lines[chosen], attributes=(*lines[chosen].attributes, ("rtcp-mux", None)))
    if keying.refusal is None and (taken := keying.takes(sdp.media[chosen].attributes, in_use)) is not None:
        crypto, keys = taken
        agreed = replace(agreed, keys=keys, savp=sdp.media[chosen].protocol == SAVP)
        lines[chosen] = replace(
            lines[chosen],
            protocol=sdp.media[chosen].protocol,
            attributes=(*lines[chosen].attributes, crypto.attribute),
        )
    return str(Sdp(session_id, version, host, host, tuple(lines))), agreed


def agreed_from_answer(our_offer: Sdp | str | bytes, answered: Sdp | str | bytes) -> Agreed:
    """Tell what an answer to our offer agreed to; raises `SdpError` when that is nothing that we offered."""
    ours = our_offer if isinstance(our_offer, Sdp) else Sdp.parse(our_offer)
    sdp = answered if isinstance(answered, Sdp) else Sdp.parse(answered)
    if len(sdp.media) != len(ours.media):
        raise SdpError("the answer has not as many media lines as the offer")
    for line, our_line in zip(sdp.media, ours.media, strict=True):
        if _is_audio(our_line) and _is_audio(line):
            ours_too = [_CODECS[number] for number in our_line.payload_types if number in _CODECS]
            agreed = _agree(sdp, line, _codecs_of(line, ours_too))
            keys = sdes.agreed(sdes.read(our_line.attributes), line.attributes)
            savp = SAVP in (our_line.protocol, line.protocol)
            if savp and keys is None:
                raise SdpError("the answer has none of the keys that it must have")
            return agreed if keys is None else replace(agreed, keys=keys, savp=savp)
    raise SdpError("the answer declines the audio stream")


def _audio_of(far: Agreed, direction: Direction) -> Media:
    """Describe the stream of a far end as it has described it itself, as far as it was agreed."""
    audio = _audio(far.address.port, [far.codec], far.dtmf_payload, far.ptime_ms, direction)
    if far.rtcp is None or far.rtcp == Address(far.address.host, far.address.port + 1):
        return audio
    host = far.rtcp.host
    at = ("rtcp", f"{far.rtcp.port} IN IP{6 if ':' in host else 4} {host}")
    return replace(audio, attributes=(*audio.attributes, at))


def _audio(
    port: int,
    codecs: Sequence[Codec],
    dtmf_payload: int | None,
    ptime_ms: int,
    direction: Direction,
) -> Media:
    formats, attributes = _described(tuple(codecs), dtmf_payload, ptime_ms, direction)
    return Media("audio", port, AVP, formats, None, attributes)


@lru_cache(maxsize=256)
def _described(
    codecs: tuple[Codec, ...], dtmf_payload: int | None, ptime_ms: int, direction: Direction
) -> tuple[tuple[str, ...], Attributes]:
    formats = [PAYLOAD_TYPES[codec] for codec in codecs]
    attributes: list[tuple[str, str | None]] = [
        ("rtpmap", f"{PAYLOAD_TYPES[codec]} {codec}/{_CLOCK_HZ}") for codec in codecs
    ]
    if dtmf_payload is not None:
        formats.append(dtmf_payload)
        attributes.append(("rtpmap", f"{dtmf_payload} telephone-event/{_CLOCK_HZ}"))
        attributes.append(("fmtp", f"{dtmf_payload} 0-15"))
    rest: Attributes = (("ptime", str(ptime_ms)), (direction.value, None))
    return tuple(map(str, formats)), (*attributes, *rest)


def _is_audio(line: Media) -> bool:
    return line.kind == "audio" and line.protocol in (AVP, SAVP) and line.port != 0


def _codecs_of(line: Media, supported: Sequence[Codec]) -> list[Codec]:
    maps = line.rtpmaps
    codecs = [(codec, maps.get(number)) for number in line.payload_types if (codec := _CODECS.get(number))]
    return [
        codec
        for codec, meant in codecs
        if codec in supported and (meant is None or meant == RtpMap(codec, _CLOCK_HZ))
    ]


def _first_usable(sdp: Sdp, supported: Sequence[Codec], keying: Keying) -> tuple[int, list[Codec]]:
    reason = "media.incompatible"
    for index, line in enumerate(sdp.media):
        if _is_audio(line) and (codecs := _codecs_of(line, supported)):
            if line.protocol == AVP or (keying.refusal is None and sdes.read(line.attributes)):
                return index, codecs
            reason = keying.refusal or "media.srtp.unknown"
    raise SdpError(f"there is no audio stream that can be taken with {' or '.join(supported)}", reason)


def _agree(sdp: Sdp, line: Media, codecs: list[Codec], preferred: Codec | None = None) -> Agreed:
    if not codecs:
        raise SdpError("no codec is common to both")
    host = line.host or sdp.host
    if host is None:
        raise SdpError("there is no c= line for the audio stream")
    direction = Direction.INACTIVE if _is_hold(host) else sdp.direction(line)
    return Agreed(
        address=Address(host, line.port),
        codec=preferred
        if preferred is not None and preferred in codecs
        else min(codecs, key=lambda codec: codec is Codec.G722),
        dtmf_payload=_dtmf_payload(line),
        ptime_ms=_ptime_ms(line),
        sends=direction.sends,
        receives=direction.receives,
        rtcp=_rtcp(line, host),
    )


def _rtcp(line: Media, host: str) -> Address | None:
    """Tell where reports go: to the port above the RTP's, or where `a=rtcp` says (RFC 3605); an odd one is nowhere."""
    for name, value in line.attributes:
        if name == "rtcp":
            match = _RTCP.fullmatch(value or "")
            if match is None or not 0 < int(match[1]) < 65536:
                return None
            try:
                return Address(str(ip_address(match[2] or host)), int(match[1]))
            except ValueError:
                return None
    return Address(host, line.port + 1) if line.port < 65535 else None


@lru_cache(maxsize=4096)
def _is_hold(host: str) -> bool:
    """Tell whether the address is unspecified, the hold of RFC 2543; refuse those of no single host."""
    ip = ip_address(host)
    if ip.is_unspecified:
        return True
    if ip.is_multicast or ip == _LOOPBACK_BROADCAST:
        raise SdpError("the address for audio is a multicast or broadcast address")
    if isinstance(ip, IPv4Address) and (ip.is_reserved or ip in _THIS_NETWORK):
        raise SdpError("the address for audio is reserved or a broadcast address")
    return False


def _dtmf_payload(line: Media) -> int | None:
    """Give the payload type of telephone events; one that would be taken for RTCP is none (RFC 5761 4)."""
    maps = line.rtpmaps
    for number in line.payload_types:
        meant = maps.get(number)
        is_event = meant is not None and (meant.encoding, meant.clock_hz) == ("TELEPHONE-EVENT", _CLOCK_HZ)
        if is_event and number not in RTCP_PAYLOAD_TYPES:
            return number
    return None


def _ptime_ms(line: Media) -> int:
    wanted = line.milliseconds("ptime") or PTIME_MS
    longest = line.milliseconds("maxptime") or _LONGEST_PTIME_MS
    if wanted % 10 or not 10 <= wanted <= _LONGEST_PTIME_MS:
        wanted = PTIME_MS
    return min(wanted, max(10, longest // 10 * 10))
