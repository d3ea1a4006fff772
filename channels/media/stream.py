"""The media stream machine: one RTP endpoint as pure state, without sockets or clock.

A plane feeds it datagrams (`receive`) and time (`tick`), and gives it `transmit` for datagrams and `emit` for events;
both must only queue or send, never call back. What a stream may take and send is the rule of `Remote`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .acceptance import Acceptance
from .digits_heard import DigitsHeard
from .early import Early
from .loudness import Loudness
from .plane import Measured, StreamClosed, StreamLost, StreamStarted
from .reception import Reception
from .recorder import Recorder, as_heard
from .reporter import Reporter, Session
from .rtp import parse
from .sender import Sender
from .srtp import Srtp
from .verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

    from .acceptance import Source
    from .inband import InbandDigits
    from .mixer import Mixer, Seat
    from .plane import MediaEvent, Playable, Remote
    from .rtp import Packet


SETTLES_AFTER = 25, 75
"""A far end that has sent so many packets will send more: it is worth a socket of its own. Those who begin together do
not get it together."""


class Stream:
    """One RTP endpoint; all times are seconds of the plane's monotonic clock.

    `sender` is what goes out, `seat` its place at a mixer while there is one. `settle` is told the one place that
    packets are taken from and sent to from now on, and None when that no longer holds: whoever has it told may bring
    what comes from there by `receive_settled`.
    """

    def __init__(
        self,
        transmit: Callable[[bytes, Source], object],
        emit: Callable[[MediaEvent], None],
        rng: Random,
        inband: InbandDigits,
        transmit_control: Callable[[bytes, Source], object] | None = None,
        *,
        woken: Callable[[], None] | None = None,
        settle: Callable[[Source | None], None] | None = None,
    ) -> None:
        self._transmit = transmit
        self._transmit_control = transmit_control or transmit
        self._rng = rng
        self._emit = emit
        self.sender = Sender(transmit, emit, rng, woken or (lambda: None))
        self._digits = DigitsHeard(inband, emit, self._hand_on)
        self._listens = False
        self._remote: Remote | None = None
        self._event_payload: int | None = None
        self._acceptance: Acceptance | None = None
        self._recorder = Recorder(emit, self.sender.phase)
        self._peer: Stream | None = None
        self._relay: Sender | Seat | None = None
        self.seat: Seat | None = None
        self._started = False
        self._heard_at = 0.0
        self._silent_s: float | None = None
        self._closed = False
        self._early = Early()
        self._early_at: float | None = None
        self._received = self._refused = 0
        self._reception = Reception()
        self._reporter: Reporter | None = None
        self._loudness: Loudness | None = None
        self._srtp: Srtp | None = None
        self._settle = settle
        least, most = SETTLES_AFTER
        self._settles_after = least + int(self.sender.phase * (most - least))
        self._settled = False

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    # What the switch asks for.

    def connect(self, remote: Remote, *, fill: bool, listen: bool = False, now: float) -> None:
        """Begin or continue towards `remote`; a far end that did not move keeps its learnt port."""
        if self._closed:
            return
        is_held = not (remote.sends or remote.receives)  # its address may be 0.0.0.0 (RFC 2543)
        if self._acceptance is None or not (is_held or self._acceptance.fits(remote)):
            self._acceptance = Acceptance(remote, self._acceptance)
            self._unsettle()
        if self._remote is None or not self._remote.sends or self._remote.holds:
            self._heard_at = now
        self._recorder.wait(remote.holds, now)
        self._loudness = self._loudness or (Loudness(self._rng.random()) if remote.energy else None)
        if remote.keys is None:
            self._srtp = None
        elif self._srtp is None:
            self._srtp = Srtp(remote.keys, self._transmit, self.sender.outgoing)
        else:
            self._srtp.renew(remote.keys)
        if self._reporter is not None:
            self._reporter.direct(remote)
        elif remote.rtcp is not None or remote.rtcp_mux:
            session = Session(self.sender.outgoing, self._reception, self._report, self._report_beside)
            self._reporter = Reporter(session, self._rng, remote, now)
        self._remote, self._event_payload = remote, remote.dtmf_payload
        self.sender.direct(remote, self._acceptance, self._srtp, fill=fill, now=now)
        self._listens = listen
        self.listen()
        if self._peer is not None:
            self._peer.listen()
        if self._early.waiting:
            self._early_at = now

    def play(self, token: int, playables: Sequence[Playable], now: float) -> None:
        """Replace what plays; `token` comes back in `Played`. Until `connect` it waits."""
        if not self._closed:
            self.sender.play(token, playables, now)

    def stop_playing(self) -> None:
        """Fall silent."""
        self.sender.stop_playing()

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
        self.sender.stop_playing()
        self.sender.echoes = not self._closed

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
        self._peer, self.seat = peer, None
        self._relay = None if peer is None else peer.sender
        self.sender.part()
        if peer is not None:
            self.sender.stop_playing()
            self.sender.echoes = False
        self.listen()

    def listen(self) -> None:
        """Hear digits as tones where they come so, for who asked for it or for a peer that takes them as events."""
        asked = self._listens or (self._peer is not None and self._peer.sender.takes_events)
        remote = self._remote
        self._digits.listen_for_tones(asked and remote is not None and remote.dtmf_payload is None)

    def _hand_on(self, digit: str) -> None:
        """Let a peer that takes telephone events have the digit of a tone."""
        if self._peer is not None and self._peer.sender.takes_events:
            self._peer.sender.press(digit, self._heard_at)

    def mix(self, other: Stream, now: float) -> None:
        """Hear `other` and all with whom it is mixed, and be heard by them; ends bridge, echo and what plays."""
        from .mixer import Mixer  # noqa: PLC0415 - numpy comes with it

        if other is self or self._closed or other.closed:
            return
        seat = other.seat or other.sit(Mixer(), now)
        self.sit(seat.mixer, now)

    def sit(self, mixer: Mixer, now: float) -> Seat:
        """Take a seat at a mixer."""
        self._part()
        self.sender.stop_playing()
        self.sender.echoes = False
        self.seat = self._relay = seat = mixer.seat(self.sender)
        self.sender.mix(seat, now)
        return seat

    def send_digits(self, digits: str, now: float) -> None:
        """Send `digits` behind those being sent; raises ValueError if one is no DTMF digit."""
        if not self._closed:
            self.sender.send_digits(digits, now)

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
        self._digits.close()
        self._closed = True
        self._unsettle()
        if self._reporter is not None:
            self._reporter.end(self.sender.destination)
        self._early.close()
        verdict = self._verdict()
        self._reporter = self._acceptance = self._silent_s = self._early_at = None
        self.sender.close()
        self._emit(StreamClosed(verdict))

    def _verdict(self) -> Verdict:
        lost, late, reordered, duplicate, jitter_ms = self._reception.counts()
        replayed = 0 if self._srtp is None else self._srtp.replayed
        return Verdict(
            None if self._remote is None else self._remote.codec,
            self.sender.ptime_ms,
            self.sender.outgoing.packets,
            self._received + replayed,
            self._refused + self._early.refused,
            lost,
            late,
            reordered,
            duplicate + replayed,
            jitter_ms,
            self._digits.text,
            None if self._reporter is None else self._reporter.remote,
            None if self._loudness is None else self._loudness.energy(),
            None if self._srtp is None else self._srtp.suite,
            0 if self._srtp is None else self._srtp.unauthentic,
        )

    # What comes from the network.

    def receive(self, data: bytes, source: Source, now: float) -> None:
        """Take one datagram."""
        acceptance, remote = self._acceptance, self._remote
        if acceptance is None or remote is None or self._early.waiting:
            self._early.keep(data, source, now)
            return
        if self._srtp is not None:
            # The copy of somebody else is not tried: it would take the place of the true one in the replay window.
            opened = self._srtp.open(data) if acceptance.would_admit(source) else b""
            if opened is None:
                return
            data = opened
        packet = parse(data)
        if packet is None or not remote.sends or not acceptance.admits(source):
            self._turn_away(data, source, now, is_rtp=packet is not None)
            return
        self._take(packet, now)
        if self._settle is not None and not self._settled and self._received >= self._settles_after:
            self._settled = acceptance.settled is not None
            if self._settled:
                self._settle(acceptance.settled)

    def receive_settled(self, data: bytes, now: float) -> None:
        """Take a datagram from the place that `settle` was told."""
        packet = parse(data) if self._srtp is None else None
        if packet is not None and self._remote is not None and self._remote.sends:
            self._take(packet, now)
        elif self._acceptance is not None and self._acceptance.settled is not None:
            self.receive(data, self._acceptance.settled, now)

    def _unsettle(self) -> None:
        if self._settle is not None and self._settled:
            self._settled = False
            self._settle(None)

    def _take(self, packet: Packet, now: float) -> None:
        """Count, hear and hand on a packet of the far end."""
        self._received += 1
        self._heard_at = now
        self._reception.add(packet, now)
        if not self._started:
            self._started = True
            self._emit(StreamStarted())
        sender, is_event = self.sender, packet.payload_type == self._event_payload
        narrow = packet if sender.wideband is None else sender.wideband.narrowed(packet)
        if is_event:
            self._digits.take_event(packet, now)
        elif self._recorder.file or self._loudness or self._digits.ear:
            self._hear(narrow, now)
        relay, ear = self._relay, self._digits.ear
        if relay is not None and (ear is None or not ear.is_down):
            relay.relay(narrow if relay.wideband is None else packet, event=is_event, now=now)
        elif sender.echoes:
            sender.forward(packet, packet.payload_type, packet.payload, now)

    def _hear(self, packet: Packet, now: float) -> None:
        """Take audio for whoever wants to have it."""
        heard = as_heard(packet)
        if heard is not None:
            self._recorder.take(heard, now)
            ear, loudness = self._digits.ear, self._loudness
            if ear is not None:
                ear.hear(heard, now)
            if loudness is not None:
                loudness.hear(heard)

    def receive_control(self, data: bytes, source: Source, now: float) -> None:
        """Take a datagram from the port above the stream's, where RTCP arrives."""
        if self._srtp is not None:
            opened = self._srtp.open_report(data)
            if opened is None:
                return
            data = opened
        if self._reporter is not None and not self._reporter.receive(data, source, now):
            self._refused += 1

    def _report(self, data: bytes, destination: Source) -> None:
        """Send a report from the port of the RTP."""
        self._transmit(data if self._srtp is None else self._srtp.seal_report(data), destination)

    def _report_beside(self, data: bytes, destination: Source) -> None:
        """Send a report from the port above it."""
        self._transmit_control(data if self._srtp is None else self._srtp.seal_report(data), destination)

    def _turn_away(self, data: bytes, source: Source, now: float, *, is_rtp: bool) -> None:
        """Refuse what is no RTP of the far end, unless it is its report (RFC 5761)."""
        reporter, acceptance = self._reporter, self._acceptance
        known = acceptance is not None and source == acceptance.destination
        if is_rtp or not known or reporter is None or not reporter.receive_muxed(data, now):
            self._refused += 1

    # What time brings.

    def next_deadline(self) -> float | None:
        """When `tick` wants to be called next; it may come to be later, never earlier, without a call."""
        first = self.sender.frame_at
        report_at = None if self._reporter is None else self._reporter.at
        silent_at = None if self._silent_s is None else self._silent_at()
        for at in (self._early_at, silent_at, self._recorder.until, report_at):
            if at is not None and (first is None or at < first):
                first = at
        return first

    def _silent_at(self) -> float | None:
        """When a watched far end that may send, and does not hold, has been silent too long."""
        remote = self._remote
        if self._silent_s is None or (remote is not None and (remote.holds or not remote.sends)):
            return None
        return self._heard_at + self._silent_s

    def tick(self, now: float) -> None:
        """Do what is due at `now`."""
        if self._early_at is not None:
            self._early_at = None
            for data, source in self._early.take(now):
                self.receive(data, source, now)
        sender = self.sender
        while (due := sender.frame_at) is not None and due <= now:
            sender.send_frame(due, now)
        if self._recorder.until is not None and self._recorder.until <= now:
            self.stop_recording()
        if self._reporter is not None and self._reporter.at <= now:
            self._reporter.tick(now, sender.destination)
        silent_at = None if self._silent_s is None else self._silent_at()
        if silent_at is not None and silent_at <= now:
            self._silent_s = None
            self._emit(StreamLost(now - self._heard_at))

    def _part(self) -> None:
        """End the bridge for both its ends, or leave the mixer."""
        peer, seat = self._peer, self.seat
        self.meet(None)
        if peer is not None:
            peer.meet(None)
        if seat is not None:
            seat.leave()
