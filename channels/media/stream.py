"""The media stream machine: one RTP endpoint as pure state, without sockets or clock.

A plane feeds it datagrams (`receive`) and time (`tick`), and gives it `transmit` for datagrams and `emit` for events;
both must only queue or send, never call back. What a stream may take and send is the rule of `Remote`.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from .acceptance import Acceptance
from .digits_heard import DigitsHeard
from .early import Early
from .g711 import CODECS, PAYLOAD_TYPES, SAMPLE_RATE_HZ, SILENCE, translate
from .loudness import Loudness
from .outgoing import Outgoing
from .plane import Codec, DigitsSent, Measured, Played, StreamClosed, StreamLost, StreamStarted
from .player import Player
from .reception import Reception
from .recorder import Recorder, as_heard
from .reporter import Reporter, Session
from .rtp import MARKER, parse
from .telephone_event import DigitSender
from .verdict import Verdict
from .wideband import PAYLOAD_TYPE as G722
from .wideband import Wideband

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

    from .acceptance import Source
    from .inband import InbandDigits
    from .plane import MediaEvent, Playable, Remote
    from .rtp import Packet

PTIME_MS = range(10, 61)
"""The packet times that are honoured; others are brought into this range."""

RELAY_PAUSE_S = 0.1
"""A relayed far end that is silent this long is filled up with silence, where `fill` was asked."""

CATCH_UP_S = 0.2
"""A machine that was asked later than this leaves packets out instead of sending them all at once."""


class Stream:
    """One RTP endpoint; all times are seconds of the plane's monotonic clock."""

    def __init__(
        self,
        transmit: Callable[[bytes, Source], object],
        emit: Callable[[MediaEvent], None],
        rng: Random,
        inband: InbandDigits,
        transmit_control: Callable[[bytes, Source], object] | None = None,
    ) -> None:
        self._transmit = self._to_network = transmit
        self._transmit_control = transmit_control or transmit
        self._rng = rng
        self._emit = emit
        self._phase = rng.random()
        self._outgoing = Outgoing(rng)
        self._digits = DigitsHeard(inband, emit)
        self._outgoing_digits = DigitSender()
        self._remote: Remote | None = None
        self._acceptance: Acceptance | None = None
        self._payload_type = 0
        self.wideband: Wideband | None = None
        self._dtmf: int | None = None
        self._ptime_s = 0.02
        self._frame_samples = 160
        self._fill = False
        self._player: Player | None = None
        self._recorder = Recorder(emit)
        self._peer: Stream | None = None
        self._echo = False
        self._started = False
        self._talking = False
        self._event_stamp = 0
        self._relayed_at = float("-inf")
        self._frame_at: float | None = None
        self._grid_at: float | None = None
        self._heard_at = 0.0
        self._silent_s: float | None = None
        self._closed = False
        self._early = Early()
        self._early_at: float | None = None
        self._received = self._refused = 0
        self._reception = Reception()
        self._reporter: Reporter | None = None
        self._loudness: Loudness | None = None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    # What the switch asks for.

    def connect(self, remote: Remote, *, fill: bool, listen: bool = False, now: float) -> None:
        """Begin or continue towards `remote`; a far end that did not move keeps its learnt port."""
        if self._closed:
            return
        if self._acceptance is None or not self._acceptance.fits(remote):
            self._acceptance = Acceptance(remote)
        if self._remote is None or not self._remote.sends:
            self._heard_at = now
        ptime_ms = min(max(remote.ptime_ms, PTIME_MS.start), PTIME_MS.stop - 1)
        if self._remote is None or self._ptime_s != ptime_ms / 1000:
            self._ptime_s = ptime_ms / 1000
            self._frame_samples = ptime_ms * SAMPLE_RATE_HZ // 1000
            self._grid_at = now + self._phase * self._ptime_s
            self._frame_at = None
        self._loudness = self._loudness or (Loudness() if remote.energy else None)
        if self._reporter is not None:
            self._reporter.direct(remote)
        elif remote.rtcp is not None or remote.rtcp_mux:
            session = Session(self._outgoing, self._reception, self._to_network, self._transmit_control)
            self._reporter = Reporter(session, self._rng, remote, now)
        self._remote = remote
        if remote.codec is not Codec.G722:
            self.wideband, self._transmit = None, self._to_network
        elif self.wideband is None:
            self.wideband = Wideband(self._to_network)
            self._transmit = self.wideband.transmit
        self._payload_type = PAYLOAD_TYPES.get(remote.codec, PAYLOAD_TYPES[Codec.PCMA])
        self._dtmf = remote.dtmf_payload
        self._fill = fill
        self._digits.listen_for_tones(listen and remote.dtmf_payload is None)
        if self._early:
            self._early_at = now
        self._wake(now)

    def play(self, token: int, playables: Sequence[Playable], now: float) -> None:
        """Replace what plays; `token` comes back in `Played`. Until `connect` it waits."""
        if self._closed:
            return
        self._player = Player(token, playables, CODECS[self._payload_type])
        self._wake(now)

    def stop_playing(self) -> None:
        """Fall silent."""
        self._player = None

    def record(self, path: Path, max_s: float, now: float) -> None:
        """Write what is heard to `path`; a recording that runs is closed first."""
        if not self._closed:
            self._recorder.start(path, max_s, now)

    def stop_recording(self) -> None:
        """Close the recording, if one runs."""
        self._recorder.stop()

    def echo(self) -> None:
        """Return each packet and send nothing else: ends a bridge and what plays."""
        self._part()
        self._player = None
        self._echo = not self._closed

    def bridge(self, other: Stream | None) -> None:
        """Relay to and from `other`; ends earlier bridges of both, an echo and what plays. None only ends."""
        self._part()
        if other is None or other is self or self._closed or other.closed:
            return
        other.bridge(None)
        other.meet(self)
        self.meet(other)

    def meet(self, peer: Stream | None) -> None:
        """Gain or lose the other end of a bridge; called by that other end."""
        self._peer, self._relayed_at = peer, float("-inf")
        if peer is not None:
            self._player, self._echo = None, False

    def send_digits(self, digits: str, now: float) -> None:
        """Send `digits` behind those being sent; raises ValueError if one is no DTMF digit."""
        if self._closed:
            return
        self._outgoing_digits.add(digits)
        self._wake(now)

    def watch(self, silent_s: float | None, now: float) -> None:
        """Tell when nothing acceptable came for `silent_s`, counted from now or the last packet."""
        if not self._closed:
            self._silent_s, self._heard_at = silent_s, now

    def measure(self) -> None:
        """Tell how the stream has fared up to now."""
        if not self._closed:
            self._emit(Measured(self._verdict()))

    def close(self) -> None:
        """End everything; `StreamClosed` is the last event."""
        if self._closed:
            return
        self._part()
        self.stop_recording()
        self._digits.listen_for_tones(False)
        self._closed = True
        if self._reporter is not None:
            self._reporter.end(self._destination)
        self._early.close()
        verdict = self._verdict()
        self._reporter = self._acceptance = self._player = self._silent_s = self._frame_at = (
            self._early_at
        ) = None
        self._outgoing_digits.clear()
        self._emit(StreamClosed(verdict))

    def _verdict(self) -> Verdict:
        return Verdict(
            None if self._remote is None else self._remote.codec,
            round(self._ptime_s * 1000),
            self._outgoing.packets,
            self._received,
            self._refused + self._early.refused,
            *self._reception.counts(),
            self._digits.text,
            None if self._reporter is None else self._reporter.remote,
            None if self._loudness is None else self._loudness.energy(),
        )

    # What comes from the network.

    def receive(self, data: bytes, source: Source, now: float) -> None:
        """Take one datagram."""
        acceptance, remote = self._acceptance, self._remote
        if acceptance is None or remote is None or self._early:
            self._early.keep(data, source, now)
            return
        packet = parse(data)
        if packet is None or not remote.sends or not acceptance.admits(source):
            self._turn_away(data, source, now, is_rtp=packet is not None)
            return
        self._received += 1
        self._heard_at = now
        self._reception.add(packet, now)
        if not self._started:
            self._started = True
            self._emit(StreamStarted())
        narrow = packet if self.wideband is None else self.wideband.narrowed(packet)
        if packet.payload_type == self._dtmf:
            self._digits.take_event(packet)
        elif self._recorder.file or self._loudness or self._digits.ear:
            self._hear(narrow, now)
        if self._peer is not None:
            heard = narrow if self._peer.wideband is None else packet
            self._peer.relay(heard, event=packet.payload_type == self._dtmf, now=now)
        elif self._echo:
            self._forward(packet, packet.payload_type, packet.payload, now)

    def _hear(self, packet: Packet, now: float) -> None:
        """Take audio for whoever wants to have it."""
        heard = as_heard(packet)
        if heard is not None:
            self._recorder.take(heard, now)
            if self._digits.ear is not None:
                self._digits.ear.hear(heard, now)
            if self._loudness is not None:
                self._loudness.hear(heard)

    def receive_control(self, data: bytes, source: Source, now: float) -> None:
        """Take a datagram from the port above the stream's, where RTCP arrives."""
        if self._reporter is not None and not self._reporter.receive(data, source, now):
            self._refused += 1

    def _turn_away(self, data: bytes, source: Source, now: float, *, is_rtp: bool) -> None:
        """Refuse what is no RTP of the far end, unless it is its report (RFC 5761)."""
        reporter, acceptance = self._reporter, self._acceptance
        known = acceptance is not None and source == acceptance.destination
        if is_rtp or not known or reporter is None or not reporter.receive_muxed(data, now):
            self._refused += 1

    def relay(self, packet: Packet, *, event: bool, now: float) -> None:
        """Send what the other end of the bridge heard; `event` tells that it is a telephone event."""
        payload_type, payload = packet.payload_type, packet.payload
        if event:
            if self._dtmf is None:
                self._outgoing.withhold()
                return
            payload_type = self._dtmf
        elif payload_type != self._payload_type and (self.wideband is None or payload_type != G722):
            if payload_type not in CODECS:
                self._outgoing.withhold()
                return
            payload, payload_type = translate(payload, CODECS[payload_type]), self._payload_type
        self._forward(packet, payload_type, payload, now)

    def _forward(self, packet: Packet, payload_type: int, payload: bytes, now: float) -> None:
        destination = self._destination
        if destination is None or self._player is not None or self._outgoing_digits:
            self._outgoing.leave()
            return
        self._relayed_at = now
        self._transmit(self._outgoing.relayed(packet, payload_type, payload, now), destination)

    @property
    def _destination(self) -> Source | None:
        if self._acceptance is None or self._remote is None or not self._remote.receives:
            return None
        return self._acceptance.destination

    # What time brings.

    def next_deadline(self) -> float | None:
        """When `tick` wants to be called next; it may come to be later, never earlier, without a call."""
        report_at = None if self._reporter is None else self._reporter.at
        times = (self._early_at, self._frame_at, self._silent_at(), self._recorder.until, report_at)
        deadlines = [at for at in times if at is not None]
        return min(deadlines) if deadlines else None

    def _silent_at(self) -> float | None:
        """When a watched far end that may send has been silent too long."""
        if self._silent_s is None or (self._remote is not None and not self._remote.sends):
            return None
        return self._heard_at + self._silent_s

    def tick(self, now: float) -> None:
        """Do what is due at `now`."""
        if self._early_at is not None:
            self._early_at = None
            for data, source in self._early.take(now):
                self.receive(data, source, now)
        while self._frame_at is not None and self._frame_at <= now:
            if now - self._frame_at > CATCH_UP_S:
                self._frame_at += int((now - self._frame_at) / self._ptime_s) * self._ptime_s
            self._send_frame(self._frame_at)
        if self._recorder.until is not None and self._recorder.until <= now:
            self.stop_recording()
        if self._reporter is not None and self._reporter.at <= now:
            self._reporter.tick(now, self._destination)
        silent_at = self._silent_at()
        if silent_at is not None and silent_at <= now:
            self._silent_s = None
            self._emit(StreamLost(now - self._heard_at))

    def _wake(self, now: float) -> None:
        """Let frames begin at the next ptime, if there is something to send."""
        if self._frame_at is not None or self._grid_at is None:
            return
        if self._fill or self._player is not None or self._outgoing_digits:
            periods = max(0, ceil((now - self._grid_at) / self._ptime_s - 1e-6))
            self._grid_at += periods * self._ptime_s
            self._frame_at = self._grid_at

    def _send_frame(self, due: float) -> None:
        samples, codec = self._frame_samples, CODECS[self._payload_type]
        self._grid_at = due
        self._frame_at = due + self._ptime_s
        if self._outgoing_digits and self._send_digit_frame(due):
            return
        player = self._player
        if player is not None:
            self._send(self._payload_type, self._outgoing.stamp(due), player.read(samples, codec))
            if player.done:
                self._player = None
                self._emit(Played(player.token))
        elif self._echo or not self._fill:
            self._talking = False
            if not self._outgoing_digits and not self._fill:
                self._frame_at = None
        elif due - self._relayed_at >= max(RELAY_PAUSE_S, 2 * self._ptime_s):
            self._send(self._payload_type, self._outgoing.stamp(due), SILENCE[codec] * samples)
        else:
            self._talking = False

    def _send_digit_frame(self, due: float) -> bool:
        in_band = CODECS[self._payload_type] if self._dtmf is None else None
        frame, done = self._outgoing_digits.frame(self._frame_samples, in_band)
        if frame is not None:
            payload_type = self._dtmf if frame.event and self._dtmf is not None else self._payload_type
            if frame.marker:
                self._talking = False
                self._event_stamp = self._outgoing.stamp(due)
            stamp = self._event_stamp if frame.event else self._outgoing.stamp(due)
            self._send(payload_type, stamp, frame.payload)
        if done:
            self._emit(DigitsSent())
        return frame is not None

    def _send(self, payload_type: int, stamp: int, payload: bytes) -> None:
        destination = self._destination
        if destination is None:
            self._talking = False
            return
        if not self._talking:
            payload_type |= MARKER
            self._talking = True
        self._transmit(self._outgoing.packet(payload_type, stamp, payload), destination)

    def _part(self) -> None:
        """End the bridge for both its ends."""
        peer = self._peer
        self.meet(None)
        if peer is not None:
            peer.meet(None)
