"""Playables become payloads of one ptime, joined without a gap."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.channels.media.audio import Audio
from ringfence.channels.media.g711 import SILENCE, encode
from ringfence.channels.media.plane import Clip, Codec, Music, Playable, Prompt, Silence, Tone
from ringfence.channels.media.player import Player
from ringfence.channels.media.prompts import music_payload, prompt_payload
from ringfence.channels.media.tones import tone_payload

A = Codec.PCMA


def played(playables: list[Playable], samples: int, codec: Codec = A) -> bytes:
    player = Player(1, playables, codec)
    frames = []
    while not player.done:
        frames.append(player.read(samples, codec))
    assert all(len(frame) == samples for frame in frames)
    return b"".join(frames)


def test_one_follows_the_other_within_a_packet() -> None:
    tone = Tone((440,), 0.0505)
    expected = prompt_payload(Prompt("5"), A) + tone_payload(tone, A, 0, 404) + SILENCE[A] * 33
    got = played([Prompt("5"), tone, Silence(33 / 8000), Prompt("7")], 160)
    assert got.startswith(expected + prompt_payload(Prompt("7"), A))
    assert set(got[len(expected) + len(prompt_payload(Prompt("7"), A)) :]) <= set(SILENCE[A])


@given(st.lists(st.integers(0, 1000), max_size=5), st.sampled_from([80, 160, 240, 480]))
def test_the_last_packet_is_the_one_with_the_last_sample(lengths: list[int], samples: int) -> None:
    got = played([Silence(length / 8000) for length in lengths], samples)
    assert len(got) == -(-sum(lengths) // samples) * samples


def test_a_tone_without_an_end_never_ends() -> None:
    player = Player(1, [Tone((425,))], A)
    frames = [player.read(160, A) for _ in range(1000)]
    assert not player.done
    assert b"".join(frames) == tone_payload(Tone((425,)), A, 0, 160_000)


@pytest.mark.parametrize("codec", [Codec.PCMA, Codec.PCMU])
def test_music_begins_again_within_a_packet_when_it_is_over(codec: Codec) -> None:
    piece, samples = music_payload(codec), 480 + 7
    player = Player(1, [Music()], codec)
    frames = [player.read(samples, codec) for _ in range(2 * len(piece) // samples + 2)]
    assert not player.done
    assert b"".join(frames) == (piece * 3)[: len(frames) * samples]


def test_music_may_have_an_end_and_the_codec_may_change_under_it() -> None:
    player = Player(1, [Music(0.05), Silence(0.01)], A)
    got = player.read(160, A) + player.read(160, Codec.PCMU) + player.read(160, A)
    assert player.done
    assert got == music_payload(A)[:160] + music_payload(Codec.PCMU)[160:320] + (
        music_payload(A)[320:400] + SILENCE[A] * 80
    )


def test_music_that_is_gone_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Codec) -> bytes:
        raise FileNotFoundError("hold.al")

    monkeypatch.setattr("ringfence.channels.media.player.music_payload", gone)
    assert played([Music(), Silence(0.02)], 160) == SILENCE[A] * 160


def test_a_message_is_played_and_the_codec_may_change_under_it(message_wav: Path) -> None:
    samples = Audio.from_wav(message_wav).samples
    player = Player(1, [Clip(message_wav)], A)
    first, second = player.read(160, A), player.read(160, Codec.PCMU)
    assert first == encode(samples[:160], A)
    assert second == encode(samples[160:320], Codec.PCMU)


def test_the_codec_may_change_under_a_prompt() -> None:
    player = Player(1, [Prompt("5"), Prompt("7")], A)
    got = player.read(160, A) + player.read(160, Codec.PCMU)
    expected = prompt_payload(Prompt("5"), A)[:160] + prompt_payload(Prompt("5"), Codec.PCMU)[160:320]
    assert got == expected


def test_a_file_that_is_gone_or_broken_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    got = played([Clip(tmp_path / "gone.wav"), Clip(broken), Silence(0.02), Prompt("no such")], 160)
    assert got == SILENCE[A] * 160


def test_a_file_that_vanishes_while_it_plays_ends_there(message_wav: Path) -> None:
    player = Player(1, [Clip(message_wav), Silence(1)], A)
    player.read(160, A)
    message_wav.unlink()
    frames = 0
    while not player.done:
        player.read(160, A)
        frames += 1
    assert 50 <= frames <= 102


@pytest.mark.parametrize("playables", [[], [Silence(0)], [Tone((425,), 0.0)]])
def test_nothing_to_play_is_done_at_once(playables: list[Playable]) -> None:
    assert Player(1, playables, A).done


def test_encoding_a_clip_is_the_codec_of_the_moment() -> None:
    assert encode([0], A) == SILENCE[A]
