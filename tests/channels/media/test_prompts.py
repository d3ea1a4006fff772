"""The announcements of the package."""

from pathlib import Path

import pytest

from ringfence.channels.media import g711, prompts
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.plane import Codec, Prompt, Silence

NAMES = sorted(path.stem for path in prompts.prompt_path("greeting").parent.glob("*.wav"))


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_is_audible_speech_of_the_right_form(name: str) -> None:
    audio = Audio.from_wav(prompts.prompt_path(name))
    assert 0.3 < audio.duration_s < 10
    assert audio.rms > 500


def test_every_announcement_that_the_server_needs_is_there() -> None:
    needed = "greeting menu enter_box enter_pin pin_wrong pin_locked no_messages you_have end_of_messages"
    needed += " not_available emergency goodbye 0 1 2 3 4 5 6 7 8 9"
    assert set(needed.split()) <= set(NAMES)


@pytest.mark.parametrize("name", ["greeting", "menu"])
def test_greeting_and_menu_last_two_to_ten_seconds(name: str) -> None:
    assert 2 <= Audio.from_wav(prompts.prompt_path(name)).duration_s <= 10


def test_all_prompts_together_stay_small() -> None:
    assert sum(prompts.prompt_path(name).stat().st_size for name in NAMES) < 1_000_000


def test_the_readme_names_every_prompt() -> None:
    script = (prompts.prompt_path("greeting").parent / "README.md").read_text()
    assert all(f"`{name}`" in script for name in NAMES if not name.isdigit())


@pytest.mark.parametrize("codec", list(Codec))
def test_a_prompt_is_encoded_once(codec: Codec) -> None:
    payload = prompts.prompt_payload("menu", codec)
    assert payload is prompts.prompt_payload("menu", codec)
    assert payload == g711.encode(Audio.from_wav(prompts.prompt_path("menu")).samples, codec)


@pytest.mark.parametrize("name", ["nothing", "../greeting", "", "a/b", "."])
def test_an_unknown_prompt_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="there is no prompt"):
        prompts.require_prompts([Silence(1), Prompt(name)])


def test_a_long_clip_is_read_piece_by_piece(tmp_path: Path) -> None:
    source = prompts.prompt_path("emergency")
    whole = Audio.from_wav(source).samples
    clip = prompts.ClipReader(source)
    pieces = [clip.read(at, 240) for at in range(0, clip.length, 240)]
    assert sum(map(len, pieces)) == clip.length == len(whole)
    assert b"".join(piece.tobytes() for piece in pieces) == whole.tobytes()
