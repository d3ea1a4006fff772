"""A recording is what was said, at the time it was said, whatever the network did to it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import decode
from ringfence.channels.media.plane import Codec
from ringfence.channels.media.recording import RecordingFile, rescued
from ringfence.channels.media.rtp import Packet

N = 160


def packet(number: int, *, start: int = 0, sequence: int = 0, ssrc: int = 1, payload_type: int = 8) -> Packet:
    stamp = (start + number * N) % 2**32
    return Packet(False, payload_type, (sequence + number) % 2**16, stamp, ssrc, spoken(number))


def spoken(number: int) -> bytes:
    return bytes([1 + number % 200]) * N


def samples(number: int) -> list[int]:
    return list(decode(spoken(number), Codec.PCMA))


def recorded(path: Path, packets: list[tuple[Packet, float]], max_s: float = 60) -> tuple[list[int], float]:
    recording = RecordingFile(path, max_s)
    for item, now in packets:
        if not recording.full:
            recording.add(item, now)
    duration_s = recording.finish()
    return list(Audio.from_wav(path).samples), duration_s


@given(
    received=st.lists(st.integers(1, 120), max_size=150),
    jitter_s=st.lists(st.floats(0, 0.3), min_size=151, max_size=151),
    start=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**16 - 1),
)
@example(
    received=[1, 2, 3, 9, 17, 18, 30],
    jitter_s=[0.0, 0.0, 0.0, 0.3] + [0.0] * 147,
    start=0,
    sequence=0,
)
def test_loss_is_silence_and_late_or_repeated_packets_are_in_their_place(
    received: list[int], jitter_s: list[float], start: int, sequence: int
) -> None:
    arrivals = [(0.0, 0), *((number * 0.02 + jitter_s[at], number) for at, number in enumerate(received))]
    arrivals.sort()
    packets = [(packet(number, start=start, sequence=sequence), now) for now, number in arrivals]
    with tempfile.TemporaryDirectory() as folder:
        got, duration_s = recorded(Path(folder) / "message.wav", packets)
    heard = {number for _, number in arrivals}
    expected = [
        sample
        for number in range(max(heard) + 1)
        for sample in (samples(number) if number in heard else [0] * N)
    ]
    assert got == expected
    assert duration_s == len(expected) / 8000


def test_a_pause_of_the_speaker_has_its_length(tmp_path: Path) -> None:
    got, _ = recorded(tmp_path / "m.wav", [(packet(0), 0.0), (packet(500), 10.0)])
    assert len(got) == 501 * N
    assert got[N : 500 * N] == [0] * (499 * N)
    assert got[500 * N :] == samples(500)


def test_nothing_longer_than_max_s_is_kept(tmp_path: Path) -> None:
    packets = [(packet(number), number * 0.02) for number in range(200)]
    got, duration_s = recorded(tmp_path / "m.wav", packets, max_s=1.01)
    assert duration_s == 1.01
    assert len(got) == 8080


def test_a_timestamp_jump_of_the_source_is_not_hours_of_silence(tmp_path: Path) -> None:
    packets = [(packet(number), number * 0.02) for number in range(10)]
    packets += [(packet(number, start=0x7000_0000), number * 0.02) for number in range(10, 20)]
    got, duration_s = recorded(tmp_path / "m.wav", packets, max_s=3600)
    assert duration_s == pytest.approx(0.4)
    assert got == [sample for number in range(20) for sample in samples(number)]


def test_a_jump_back_and_a_new_source_go_on_where_the_old_one_stopped(tmp_path: Path) -> None:
    packets = [(packet(number, start=0x7000_0000), number * 0.02) for number in range(200)]
    packets += [(packet(number, ssrc=2), number * 0.02) for number in range(200, 210)]
    packets += [(packet(number, ssrc=2, start=-0x1000_0000), number * 0.02) for number in range(210, 220)]
    got, _ = recorded(tmp_path / "m.wav", packets)
    assert got == [sample for number in range(220) for sample in samples(number)]


@pytest.mark.parametrize("before", [20, 200])
@pytest.mark.parametrize("sequence", [-10_000, -30_000, 10_000, 40_000])
def test_a_source_that_begins_anew_with_its_ssrc_is_heard(sequence: int, before: int, tmp_path: Path) -> None:
    """RFC 3550 A.1: as when a test plays one capture after the other; its numbers are neither late nor lost."""
    packets = [(packet(number, start=0x7000_0000, sequence=9), number * 0.02) for number in range(before)]
    packets += [
        (packet(number, start=5000, sequence=9 + sequence), number * 0.02)
        for number in range(before, before + 50)
    ]
    got, _ = recorded(tmp_path / "m.wav", packets)
    assert got == [sample for number in range(before + 50) for sample in samples(number)]


def test_a_small_jump_back_overwrites_nothing(tmp_path: Path) -> None:
    packets = [(packet(number), number * 0.02) for number in range(50)]
    packets += [(packet(number, start=-4000), number * 0.02) for number in range(50, 80)]
    got, _ = recorded(tmp_path / "m.wav", packets)
    assert got == [sample for number in range(80) for sample in samples(number)]


def test_both_laws_may_come_in_one_recording(tmp_path: Path) -> None:
    got, _ = recorded(tmp_path / "m.wav", [(packet(0), 0.0), (packet(1, payload_type=0), 0.02)])
    assert got[N:] == list(decode(spoken(1), Codec.PCMU))


def test_the_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "m.wav"
    recording = RecordingFile(path, 60)
    for number in range(300):
        recording.add(packet(number), number * 0.02)
    assert not path.exists()
    recording.finish()
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.wav"]


def test_what_another_process_had_recorded_is_rescued_to_its_last_whole_second(tmp_path: Path) -> None:
    """Late packets of what is on disk already included."""
    path = tmp_path / "m.wav"
    recording = RecordingFile(path, 60)
    for number in [*(number for number in range(135) if number not in {48, 90}), 90, 48]:
        recording.add(packet(number), number * 0.02)
    assert rescued(path) == pytest.approx(2.0, abs=0.04)
    got = list(Audio.from_wav(path).samples)
    whole = len(got) // N
    assert got == [
        sample for number in range(whole) for sample in (samples(number) if number != 48 else [0] * N)
    ]
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.wav"]
    assert rescued(path) == len(got) / 8000, "its end had not been told"
    recording.finish()


def test_nothing_can_be_rescued_where_nothing_was_begun_or_nothing_heard(tmp_path: Path) -> None:
    assert rescued(tmp_path / "m.wav") == 0.0
    recording = RecordingFile(tmp_path / "other.wav", 60)
    assert rescued(tmp_path / "other.wav") == 0.0
    recording.finish()


def test_what_lies_before_the_first_packet_or_was_written_long_ago_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.wav"
    packets = [(packet(number), number * 0.02) for number in range(160)]
    packets.insert(60, (packet(-1), 1.2))
    too_late = packet(70)._replace(payload=b"\x01" * N)
    got, _ = recorded(path, [*packets, (too_late, 3.2)])
    assert got == [sample for number in range(160) for sample in samples(number)]


def test_a_late_packet_that_reaches_beyond_what_is_written_is_all_there(tmp_path: Path) -> None:
    packets = [(packet(number), number * 0.02) for number in range(50)]
    late = packet(49)._replace(payload=spoken(49) + spoken(50) + spoken(51))
    got, _ = recorded(tmp_path / "m.wav", [*packets, (late, 1.0)])
    assert got == [sample for number in range(52) for sample in samples(number)]


def test_nothing_heard_is_an_empty_wav(tmp_path: Path) -> None:
    assert recorded(tmp_path / "m.wav", []) == ([], 0.0)


def test_a_disk_that_refuses_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    recording = RecordingFile(tmp_path / "no such folder" / "m.wav", 60)
    assert recording.full
    recording.add(packet(0), 0.0)
    assert recording.finish() == 0.0
    (tmp_path / "taken.wav").mkdir()
    recording = RecordingFile(tmp_path / "taken.wav", 60)
    recording.add(packet(0), 0.0)
    assert recording.finish() == 0.0
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken.wav"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(1, 3), st.floats(0, 5),
            st.integers(0, 400),
        ),
        max_size=60,
    )
)  # fmt: skip
def test_no_source_makes_it_longer_than_asked(arrivals: list[tuple[int, int, int, float, int]]) -> None:
    now = 0.0
    with tempfile.TemporaryDirectory() as folder:
        recording = RecordingFile(Path(folder) / "m.wav", 2.0)
        for sequence, stamp, ssrc, later_s, size in arrivals:
            now += later_s
            recording.add(Packet(False, 0, sequence, stamp, ssrc, b"\x10" * size), now)
        assert recording.finish() <= 2.0
