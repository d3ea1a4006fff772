"""What one stream sends: a frame each ptime of what plays, of digits, of a mix or of silence, and what it relays.

A stream machine owns one, tells it what was agreed, and lets it send when a frame is due. Whatever goes out is one
continuous RTP stream (`outgoing`).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from .g711 import CODECS, PAYLOAD_TYPES, SAMPLE_RATE_HZ, SILENCE, translate
from .outgoing import Outgoing
from .plane import Codec, DigitsSent, Played
from .player import Player
from .recut import Recut
from .rtp import MARKER
from .telephone_event import DigitReceiver, DigitSender
from .wideband import PAYLOAD_TYPE as G722
from .wideband import Wideband

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

    from .acceptance import Acceptance, Source
    from .mixer import Seat
    from .plane import MediaEvent, Playable, Remote
    from .rtp import Packet
    from .srtp import Srtp

PTIME_MS = range(10, 61)
"""The packet times that are honoured; others are brought into this range."""

RELAY_PAUSE_S = 0.1
"""A relayed far end that is silent this long is filled up with silence, where `fill` was asked."""

CATCH_UP_S = 0.2
"""A machine that was asked later than this leaves packets out instead of sending them all at once."""


class Sender:
    """`frame_at` is when the next frame is due, None while there is nothing to send.

    Its frames go out at `phase`, 0 to 1, of a ptime. With `echoes` no silence is sent, whatever `fill` asked.
    `wideband` is there while the far end speaks G.722.
    """

    def __init__(
        self,
        transmit: Callable[[bytes, Source], object],
        emit: Callable[[MediaEvent], None],
        rng: Random,
        woken: Callable[[], None],
    ) -> None:
        self._transmit = self._to_network = transmit
        self._emit = emit
        self._woken = woken
        self.phase = rng.random()
        self._acceptance: Acceptance | None = None
        self._payload_type = 0
        self._dtmf: int | None = None
        self._ptime_s = 0.02
        self._frame_samples = 160
        self._fill = False
        self._player: Player | None = None
        self._seat: Seat | None = None
        self._digits = DigitSender()
        self._pressed = DigitReceiver()
        self._recut: Recut | None = None
        self._event_stamp = 0
        self._talking = False
        self._relayed_at = float("-inf")
        self._grid_at: float | None = None
        self.frame_at: float | None = None
        self.echoes = self._is_held = False
        self.wideband: Wideband | None = None
        self.outgoing = Outgoing(rng)

    @property
    def ptime_ms(self) -> int:
        """The packet time in use."""
        return round(self._ptime_s * 1000)

    @property
    def takes_events(self) -> bool:
        """Whether the far end hears digits as telephone events."""
        return self._dtmf is not None

    @property
    def destination(self) -> Source | None:
        """Where packets may go now."""
        return None if self._acceptance is None else self._acceptance.destination

    def direct(
        self, remote: Remote, acceptance: Acceptance, srtp: Srtp | None, *, fill: bool, now: float
    ) -> None:
        """Send to `remote` from now on, through `srtp` if there is one."""
        ptime_ms = min(max(remote.ptime_ms, PTIME_MS.start), PTIME_MS.stop - 1)
        if self._grid_at is None or self._ptime_s != ptime_ms / 1000:
            self._ptime_s = ptime_ms / 1000
            self._frame_samples = ptime_ms * SAMPLE_RATE_HZ // 1000
            self._grid_at = now + self.phase * self._ptime_s
            self.frame_at = None
        self._acceptance = acceptance if remote.receives else None
        onward = self._to_network if srtp is None else srtp.transmit
        if remote.codec is not Codec.G722:
            self.wideband, self._transmit = None, onward
        else:
            self.wideband = self.wideband or Wideband(onward)
            self.wideband.onward, self._transmit = onward, self.wideband.transmit
        self._payload_type = PAYLOAD_TYPES.get(remote.codec, PAYLOAD_TYPES[Codec.PCMA])
        self._dtmf = remote.dtmf_payload
        self._fill = fill
        self._is_held = remote.holds
        self._wake(now)

    def play(self, token: int, playables: Sequence[Playable], now: float) -> None:
        """Replace what plays."""
        self._player = Player(token, playables, CODECS[self._payload_type])
        self._wake(now)

    def stop_playing(self) -> None:
        """Fall silent."""
        self._player = None

    def send_digits(self, digits: str, now: float) -> None:
        """Send `digits` behind those being sent; raises ValueError if one is no DTMF digit."""
        self._digits.add(digits)
        self._wake(now)

    def mix(self, seat: Seat, now: float) -> None:
        """Send what the others at a mixer say, where nothing of our own is being said."""
        self._seat = seat
        self._wake(now)

    def part(self) -> None:
        """Nothing is relayed or mixed any more, or something else."""
        self._relayed_at, self._seat = float("-inf"), None
        if self._recut is not None:
            self._recut = None
            self.outgoing.leave()

    def close(self) -> None:
        """Send nothing more."""
        self._acceptance = self._player = self.frame_at = None
        self._digits.clear()

    def relay(self, packet: Packet, *, event: bool, now: float) -> None:
        """Send what the other end of a bridge heard; `event` tells that it is a telephone event.

        For a far end without such events it becomes the tone pair of its digit.
        """
        payload_type, payload = packet.payload_type, packet.payload
        if event:
            if self._dtmf is None:
                self._leave_out(packet, now)
                digit = self._pressed.receive(packet, now)
                if digit is not None:
                    self.press(digit, now)
                return
            payload_type = self._dtmf
        elif payload_type != self._payload_type and (self.wideband is None or payload_type != G722):
            if payload_type not in CODECS:
                self._leave_out(packet, now)
                return
            payload, payload_type = translate(payload, CODECS[payload_type]), self._payload_type
        if self._recut is None and (event or len(payload) == self._frame_samples):
            self.forward(packet, payload_type, payload, now)
            return
        packet = packet._replace(payload_type=payload_type, payload=payload)
        if self._recut is None or self._recut.ssrc != packet.ssrc:
            self._recut = Recut(packet)
        self._forward_all(
            self._recut.passed(packet) if event else self._recut.cut(packet, self._frame_samples), now
        )

    def press(self, digit: str, now: float) -> None:
        """Send a digit of the other end of a bridge, behind those being sent; meanwhile nothing is relayed."""
        self.send_digits(digit, now)
        self._woken()

    def _leave_out(self, packet: Packet, now: float) -> None:
        if self._recut is None:
            self.outgoing.withhold(packet)
        else:
            self._forward_all(self._recut.leave_out(packet), now)

    def _forward_all(self, packets: Iterable[Packet], now: float) -> None:
        for packet in packets:
            self.forward(packet, packet.payload_type, packet.payload, now)

    def forward(self, packet: Packet, payload_type: int, payload: bytes, now: float) -> None:
        """Send a packet that was heard, with another payload, unless something of our own is being said.

        One with our own SSRC came back to us (RFC 3550 8.2), and would go round for ever.
        """
        acceptance, outgoing = self._acceptance, self.outgoing
        destination = None if acceptance is None else acceptance.destination
        is_ours = packet.ssrc == outgoing.ssrc
        if destination is None or self._player is not None or self._digits.waiting or is_ours:
            outgoing.leave()
            return
        self._relayed_at = now
        self._transmit(outgoing.relayed(packet, payload_type, payload, now), destination)

    def send_frame(self, due: float, now: float) -> None:
        """Send the frame that was due at `frame_at`, or the latest one if that is long ago."""
        if now - due > CATCH_UP_S:
            due += int((now - due) / self._ptime_s) * self._ptime_s
        samples, codec = self._frame_samples, CODECS[self._payload_type]
        self._grid_at = due
        self.frame_at = due + self._ptime_s
        if self._digits.waiting and self._send_digit_frame(due):
            return
        player = self._player
        if player is not None and self._is_held:
            self._talking = False
        elif player is not None:
            self._send(self._payload_type, self.outgoing.stamp(due), player.read(samples, codec))
            if player.done:
                self._player = None
                self._emit(Played(player.token))
        elif self._seat is not None:
            self._send(self._payload_type, self.outgoing.stamp(due), self._seat.frame(due, samples, codec))
        elif self.echoes or not self._fill:
            self._talking = False
            if not self._digits.waiting and not self._fill:
                self.frame_at = None
        elif due - self._relayed_at >= max(RELAY_PAUSE_S, 2 * self._ptime_s):
            self._send(self._payload_type, self.outgoing.stamp(due), SILENCE[codec] * samples)
        else:
            self._talking = False

    def _wake(self, now: float) -> None:
        """Let frames begin at the next ptime, if there is something to send."""
        if self.frame_at is not None or self._grid_at is None:
            return
        if self._fill or self._player is not None or self._digits.waiting or self._seat is not None:
            periods = max(0, ceil((now - self._grid_at) / self._ptime_s - 1e-6))
            self._grid_at += periods * self._ptime_s
            self.frame_at = self._grid_at

    def _send_digit_frame(self, due: float) -> bool:
        in_band = CODECS[self._payload_type] if self._dtmf is None else None
        frame, done = self._digits.frame(self._frame_samples, in_band)
        if frame is not None:
            payload_type = self._dtmf if frame.event and self._dtmf is not None else self._payload_type
            if frame.marker:
                self._talking = False
                self._event_stamp = self.outgoing.stamp(due)
            stamp = self._event_stamp if frame.event else self.outgoing.stamp(due)
            self._send(payload_type, stamp, frame.payload)
        if done:
            self._emit(DigitsSent())
        return frame is not None

    def _send(self, payload_type: int, stamp: int, payload: bytes) -> None:
        acceptance = self._acceptance
        if acceptance is None or (destination := acceptance.destination) is None:
            self._talking = False
            return
        if not self._talking:
            payload_type |= MARKER
            self._talking = True
        self._transmit(self.outgoing.packet(payload_type, stamp, payload), destination)
