"""When a media worker counts as hung, by looks at its pulse and at what the kernel tells of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ringfence.channels.media.heartbeat import HUNG_S, LOOK_S, PATIENCE_S, Activity, Pulse, Vigil

STOPPED, ASLEEP, ON_DISK = Activity("T", 5.0), Activity("S", 5.0), Activity("D", 5.0)


class Worker:
    """What is looked at: its latest beat, its state, and the share of a processor that it gets."""

    def __init__(self, beat: float = 1.0) -> None:
        self.now = 100.0
        self.beat = beat
        self.doing = ASLEEP
        self.share = 0.0
        self.vigil = Vigil(self.now)

    def looks(self, seconds: float, apart_s: float = LOOK_S) -> float | None:
        """Look for so long; return after how many seconds it counted as hung, None if it did not."""
        began = self.now
        while self.now < began + seconds - 1e-9:
            self.now += apart_s
            self.doing = Activity(self.doing.state, self.doing.cpu_s + self.share * apart_s)
            if self.vigil.is_hung(self.now, self.beat, lambda: self.doing):
                return self.now - began
        return None


def test_who_beats_is_never_hung_whatever_it_does() -> None:
    worker = Worker()
    for beat in range(1, 500):
        worker.beat, worker.doing = float(beat), STOPPED
        assert worker.looks(HUNG_S - LOOK_S) is None


@pytest.mark.parametrize(
    ("doing", "beat"), [(STOPPED, 1.0), (Activity("t", 5.0), 1.0), (ASLEEP, 1.0), (STOPPED, 0.0)]
)
def test_who_is_stopped_or_sleeps_too_long_is_hung_within_a_second(doing: Activity, beat: float) -> None:
    """The last beat may have come right behind a look: that is one more. Who is stopped is not at work."""
    worker = Worker(beat)
    worker.doing = doing
    after = worker.looks(5.0)
    assert after is not None
    assert HUNG_S <= after <= 0.9 - LOOK_S


def test_who_turns_for_ever_without_a_beat_is_hung_within_a_second() -> None:
    worker = Worker()
    worker.doing, worker.share = Activity("R", 5.0), 1.0
    after = worker.looks(5.0)
    assert after is not None
    assert after <= 0.9


def test_the_wait_for_a_processor_does_not_count_on_a_loaded_machine() -> None:
    worker = Worker()
    worker.doing = Activity("R", 5.0)
    assert worker.looks(5.0) is None
    worker.share = 0.2
    after = worker.looks(10.0)
    assert after is not None
    assert after == pytest.approx((HUNG_S - LOOK_S) / 0.2, abs=0.6), "what it had counts"


@pytest.mark.parametrize("doing", [ON_DISK, Activity("R", 5.0)])
def test_whoever_waits_for_disk_or_processor_too_long_is_hung_all_the_same(doing: Activity) -> None:
    worker = Worker()
    worker.doing = doing
    after = worker.looks(2 * PATIENCE_S)
    assert after == pytest.approx(PATIENCE_S, abs=2 * LOOK_S)


@pytest.mark.parametrize("doing", [ASLEEP, ON_DISK, Activity("R", 5.0)])
def test_what_takes_long_has_its_time(doing: Activity) -> None:
    """A worker that starts, or imports, notes no beat."""
    worker = Worker(beat=0.0)
    worker.doing, worker.share = doing, 1.0
    after = worker.looks(2 * PATIENCE_S)
    assert after == pytest.approx(PATIENCE_S, abs=2 * LOOK_S)


def test_time_that_the_main_process_lost_does_not_count() -> None:
    """It was stopped, in a debugger or under a laptop's lid: both have stood still, and it looks first."""
    worker = Worker()
    worker.doing = STOPPED
    assert worker.looks(0.3) is None
    assert worker.looks(3600.0, apart_s=3600.0) is None
    assert worker.looks(0.1) is None
    worker.beat = 2.0
    assert worker.looks(HUNG_S - LOOK_S) is None


def test_the_beats_of_another_process_are_seen_and_its_rest_is() -> None:
    pulse, fd = Pulse.made()
    script = (
        "import sys; from ringfence.channels.media.heartbeat import Pulse; pulse = Pulse(int(sys.argv[1])); "
        "pulse.beat(12.5); input(); pulse.rest()"
    )
    assert pulse.latest == 0.0
    with subprocess.Popen(
        [sys.executable, "-c", script, str(fd)], pass_fds=(fd,), stdin=subprocess.PIPE
    ) as other:
        os.close(fd)
        while pulse.latest != 12.5:
            assert other.poll() is None
        other.communicate(b"\n", 10)
    assert pulse.latest == 0.0


def test_the_kernel_tells_who_is_stopped_who_works_and_who_sleeps() -> None:
    script = "print(flush=True); input(); print(flush=True)\nwhile True: pass"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        while (asleep := Activity.of(process.pid)).state != "S":
            pass
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        while (at_work := Activity.of(process.pid)).cpu_s < asleep.cpu_s + 0.03:
            pass
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        stopped = Activity.of(process.pid)
        process.kill()
    told = [(one.waits, one.is_stopped) for one in (asleep, at_work, stopped)]
    assert told == [(False, False), (True, False), (False, True)]
    with pytest.raises(OSError, match="No such"):
        Activity.of(process.pid)
