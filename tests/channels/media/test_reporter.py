"""RTCP between two streams (RFC 3550, section 6): when reports go out, to whom, and what is learnt from them."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from tests.channels.media.clocked import Clocked

from ringfence.channels.media import rtcp
from ringfence.channels.media.acceptance import Source
from ringfence.channels.media.inband import InbandDigits
from ringfence.channels.media.plane import Codec, MediaEvent, Remote
from ringfence.channels.media.reporter import COMPENSATION, INTERVAL_S
from ringfence.channels.media.stream import Stream
from ringfence.channels.network import Address

DELAY_S = 0.03
STRANGER: Source = ("203.0.113.9", 4001)


class End(Clocked):
    """A stream at `host`, ports 4000 and 4001, and what it has sent from the latter."""

    def __init__(self, host: str, seed: int) -> None:
        self.host = host
        self.events: list[MediaEvent] = []
        self.waiting: list[tuple[float, int, bytes, Source]] = []
        self.reports: list[tuple[float, bytes, Source]] = []
        self.now = 0.0
        self.stream = Stream(self._rtp, self.events.append, Random(seed), InbandDigits(), self._rtcp)

    def _rtp(self, data: bytes, destination: Source) -> None:
        self.waiting.append((self.now + DELAY_S, 4000, data, destination))
        if rtcp.parse(data) is not None:
            self.reports.append((self.now, data, destination))

    def _rtcp(self, data: bytes, destination: Source) -> None:
        self.waiting.append((self.now + DELAY_S, 4001, data, destination))
        self.reports.append((self.now, data, destination))

    def remote(self, *, mux: bool = False, port: int = 4001) -> Remote:
        address = Address(self.host, 4000)
        return Remote(address, self.host, Codec.PCMA, rtcp=Address(self.host, port), rtcp_mux=mux)


class Line:
    """Two ends with 30 ms between them; every `lose`th RTP packet of the first is lost."""

    def __init__(self, *, mux: bool = False, lose: int = 0) -> None:
        self.one, self.other = End("10.0.0.1", 1), End("10.0.0.2", 2)
        self.lose, self.count, self.now = lose, 0, 100.0
        for end, far in ((self.one, self.other), (self.other, self.one)):
            end.now = self.now
            end.stream.connect(far.remote(mux=mux), fill=True, now=self.now)

    def run(self, seconds: float) -> None:
        end_at = self.now + seconds
        while self.now < end_at:
            self.now = round(self.now + 0.005, 6)
            for end, far in ((self.one, self.other), (self.other, self.one)):
                end.now = self.now
                deadline = end.stream.next_deadline()
                if deadline is not None and deadline <= self.now:
                    end.stream.tick(self.now)
                due = [one for one in end.waiting if one[0] <= self.now]
                end.waiting = [one for one in end.waiting if one[0] > self.now]
                for _, port, data, destination in due:
                    self._carry(end, far, port, data, destination)

    def _carry(self, end: End, far: End, port: int, data: bytes, destination: Source) -> None:
        assert destination[0] == far.host
        if destination[1] == 4001:
            far.stream.receive_control(data, (end.host, port), self.now)
            return
        if end is self.one and self.lose and rtcp.parse(data) is None:
            self.count += 1
            if self.count % self.lose == 0:
                return
        far.stream.receive(data, (end.host, port), self.now)


@pytest.mark.parametrize("mux", [False, True])
def test_both_learn_the_round_trip_and_what_the_other_one_lost(mux: bool) -> None:
    """Section 6.4.1: from LSR and DLSR; RFC 5761 with both on one port."""
    line = Line(mux=mux, lose=10)
    line.run(20.0)
    remote = line.one.verdict.remote
    assert remote is not None
    assert remote.round_trip_ms == pytest.approx(2000 * DELAY_S, abs=6)
    assert remote.packets_lost == pytest.approx(90, abs=20)
    assert remote.loss == pytest.approx(0.1, abs=0.01)
    verdict = line.other.verdict
    assert verdict.packets_lost == pytest.approx(100, abs=1)
    assert verdict.packets_refused == 0
    assert verdict.remote is not None
    assert (verdict.remote.packets_lost, verdict.remote.loss) == (0, 0.0)


def test_reports_go_out_at_random_about_every_five_seconds_the_first_after_half() -> None:
    """Section 6.2: the interval is multiplied by 0.5 to 1.5, and divided by e - 3/2."""
    line = Line()
    line.run(120.0)
    times = [at for at, *_ in line.one.reports]
    gaps = [after - before for before, after in pairwise(times)]
    least, most = 0.5 * INTERVAL_S / COMPENSATION, 1.5 * INTERVAL_S / COMPENSATION
    assert least / 2 <= times[0] - 100.0 <= most / 2 + 0.01
    assert all(least - 0.01 <= gap <= most + 0.02 for gap in gaps)
    assert len({round(gap, 1) for gap in gaps}) > 5
    assert times != [at for at, *_ in line.other.reports]


def test_a_report_counts_the_packets_and_octets_that_were_sent() -> None:
    """Section 6.4.1, without the time of day."""
    line = Line()
    line.run(10.0)
    at, data, _ = line.one.reports[-1]
    compound = rtcp.parse(data)
    assert compound is not None
    assert compound.sending is not None
    assert compound.sending.packets == pytest.approx((at - 100.0) * 50, abs=2)
    assert compound.sending.octets == 160 * compound.sending.packets
    assert compound.sending.ntp == pytest.approx(at * 2**32, rel=1e-6)


def test_who_sends_nothing_sends_receiver_reports() -> None:
    """Section 6.4.2."""
    line = Line()
    line.one.stream.connect(line.other.remote(), fill=False, now=line.now)
    line.run(10.0)
    compound = rtcp.parse(line.one.reports[-1][1])
    assert compound is not None
    assert compound.sending is None
    assert len(compound.blocks) == 1


def test_goodbye_is_said_by_who_has_reported_only() -> None:
    """Section 6.6, and 6.3.7: who never sent a report leaves without a word."""
    line = Line()
    line.run(0.5)
    line.one.stream.close()
    assert line.one.reports == []
    line.run(10.0)
    line.other.stream.close()
    assert line.other.reports[-1][1].endswith(rtcp.goodbye(_ssrc(line.other)))
    count = len(line.other.reports)
    line.other.stream.tick(line.now + 60.0)
    assert len(line.other.reports) == count


def _ssrc(end: End) -> int:
    compound = rtcp.parse(end.reports[0][1])
    assert compound is not None
    return compound.ssrc


@pytest.mark.parametrize("mux", [False, True])
def test_reports_of_strangers_and_junk_change_nothing(mux: bool) -> None:
    """The acceptance rule holds for RTCP; malformed packets do no harm."""
    line = Line(mux=mux)
    line.run(10.0)
    ours = rtcp.parse(line.one.reports[-1][1])
    assert ours is not None
    forged = rtcp.report(9, None, [rtcp.Block(ours.ssrc, 255, 5000, 1, 80_000, 1, 1)], b"x")
    for receive, far in (
        (line.one.stream.receive_control, "10.0.0.2"),
        (line.one.stream.receive, "10.0.0.2"),
    ):
        receive(forged, STRANGER, line.now)
        receive(forged[:-1], (far, 4001), line.now)
        receive(b"", (far, 4000), line.now)
    line.run(10.0)
    sent_to = {destination for _, _, destination in line.one.reports}
    assert sent_to == {("10.0.0.2", 4000 if mux else 4001)}
    verdict = line.one.verdict
    assert verdict.packets_refused == 6
    assert verdict.remote is not None
    assert (verdict.remote.packets_lost, verdict.remote.jitter_ms < 5.0) == (0, True)


@pytest.mark.parametrize(("last_report", "since"), [(1, 0), (0, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_round_trip_is_believed_of_a_report_that_we_sent_only(last_report: int, since: int) -> None:
    line = Line()
    line.one.stream.connect(line.other.remote(), fill=True, now=line.now)
    line.other.stream.close()
    line.run(10.0)
    block = rtcp.Block(_ssrc(line.one), 0, 3, 1, 80, last_report, since)
    line.one.stream.receive_control(rtcp.report(9, None, [block], b"x"), ("10.0.0.2", 4001), line.now)
    remote = line.one.verdict.remote
    assert remote is not None
    assert (remote.packets_lost, remote.jitter_ms, remote.round_trip_ms) == (3, 10.0, None)


def test_nothing_is_reported_to_a_host_that_neither_signals_nor_has_sent() -> None:
    """RFC 3605 may name any host; the acceptance rule sends nothing there before it has sent."""
    one = End("10.0.0.1", 1)
    remote = Remote(Address("10.0.0.2", 4000), "10.0.0.2", Codec.PCMA, rtcp=Address("198.51.100.1", 9))
    one.stream.connect(remote, fill=True, now=0.0)
    for tick in range(1, 1000):
        one.now = tick * 0.02
        one.stream.tick(one.now)
    assert one.reports == []
    one.stream.receive_control(rtcp.report(9, None, (), b"x"), ("10.0.0.2", 5555), one.now)
    for tick in range(1000, 1500):
        one.now = tick * 0.02
        one.stream.tick(one.now)
    assert {destination for *_, destination in one.reports} == {("10.0.0.2", 5555)}


def test_reports_alone_do_not_keep_a_watched_stream() -> None:
    line = Line()
    line.run(3.0)
    line.one.stream.watch(5.0, line.now)
    line.other.stream.connect(line.one.remote(), fill=False, now=line.now)
    line.other.stream.stop_playing()
    line.run(12.0)
    assert any(type(event).__name__ == "StreamLost" for event in line.one.events)
    assert line.other.reports[-1][0] > 106.0


@pytest.mark.parametrize("mux", [False, True])
def test_a_far_end_that_speaks_to_somebody_else_is_told_nothing_until_it_comes_back(mux: bool) -> None:
    """Section 6.2: reports are of those who take part; the stream rests with its port."""
    line = Line(mux=mux)
    line.run(20.0)
    remote, count = line.other.remote(mux=mux), len(line.one.reports)
    assert count > 0
    resting = replace(remote, sends=False, receives=False, rtcp=None, rtcp_mux=False)
    line.one.stream.connect(resting, fill=True, now=line.now)
    line.run(30.0)
    assert len(line.one.reports) == count
    line.one.stream.connect(remote, fill=True, now=line.now)
    line.run(20.0)
    assert len(line.one.reports) > count
