"""The announcements of the package."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from ringfence.channels.media import g711, prompts
from ringfence.channels.media.audio import Audio
from ringfence.channels.media.plane import Codec, Prompt, Silence

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = prompts.prompt_path(Prompt("greeting")).parent.parent
SCRIPTS: dict[str, dict[str, str]] = {
    language: tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    for language in prompts.LANGUAGES
}


def heard(prompt: Prompt) -> Audio:
    return Audio(g711.decode(prompts.prompt_payload(prompt, Codec.PCMA), Codec.PCMA))


@pytest.mark.parametrize("language", prompts.LANGUAGES)
def test_every_block_of_the_script_is_audible_speech_and_nothing_else_lies_there(language: str) -> None:
    assert {path.stem for path in (FOLDER / language).glob("*.opus")} == set(SCRIPTS[language])
    for name, text in SCRIPTS[language].items():
        samples, rate_hz = soundfile.read(prompts.prompt_path(Prompt(name, language)), always_2d=True)
        assert (rate_hz, samples.shape[1]) == (g711.SAMPLE_RATE_HZ, 1)
        assert 0.2 < len(samples) / rate_hz < min(10, 1 + 0.12 * len(text)), name
        assert 0.03 < np.sqrt(np.mean(samples**2)) < 0.15, name
        assert np.abs(samples[: rate_hz // 5]).max() > 0.02, f"{name} begins late"


def test_both_languages_have_the_same_announcements() -> None:
    """But for the words that only one grammar needs."""
    assert set(SCRIPTS["de"]) ^ set(SCRIPTS["en"]) == {"ein", "oclock", "oh", "am", "pm"}


@pytest.mark.parametrize("language", prompts.LANGUAGES)
@pytest.mark.parametrize("name", ["greeting", "menu"])
def test_greeting_and_menu_last_two_to_ten_seconds(name: str, language: str) -> None:
    assert 2 <= heard(Prompt(name, language)).duration_s <= 10


def test_all_prompts_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*/*.opus")) < 1_300_000


@pytest.mark.parametrize("codec", list(g711.PAYLOAD_TYPES))
def test_a_prompt_is_decoded_and_encoded_once(codec: Codec) -> None:
    payload = prompts.prompt_payload(Prompt("menu", "de"), codec)
    assert payload is prompts.prompt_payload(Prompt("menu", "de"), codec)
    assert payload != prompts.prompt_payload(Prompt("menu", "en"), codec)


def test_a_prompt_without_a_language_is_english() -> None:
    assert prompts.prompt_path(Prompt("menu")) == prompts.prompt_path(Prompt("menu", "en"))


@pytest.mark.parametrize("name", ["nothing", "../greeting", "", "a/b", "."])
def test_an_unknown_prompt_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="there is no prompt"):
        prompts.require_prompts([Silence(1), Prompt(name)])


@pytest.mark.parametrize("language", ["fr", "", "../de"])
def test_a_language_that_is_not_spoken_is_refused(language: str) -> None:
    prompt = Prompt("greeting", language)
    if language:
        with pytest.raises(ValueError, match="there is no prompt 'greeting'"):
            prompts.require_prompts([prompt])
    else:
        assert prompts.prompt_path(prompt) == prompts.prompt_path(Prompt("greeting"))


def test_a_prompt_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The player passes over what raises ValueError: a media error never ends a call."""
    broken = tmp_path / "broken.opus"
    broken.write_bytes(b"OggS")
    monkeypatch.setattr(prompts, "prompt_path", lambda _: broken)
    with pytest.raises(ValueError, match="cannot be read"):
        prompts.prompt_payload(Prompt("broken"), Codec.PCMA)


def test_looking_for_a_prompt_imports_no_decoder() -> None:
    """The main process only looks; see docs/decisions/0006."""
    script = (
        "import sys; from ringfence.channels.media import plane, prompts; "
        "prompts.require_prompts([plane.Prompt('menu')]); print({'numpy', 'soundfile'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_long_clip_is_read_piece_by_piece(message_wav: Path) -> None:
    whole = Audio.from_wav(message_wav).samples
    clip = prompts.ClipReader(message_wav)
    pieces = [clip.read(at, 240) for at in range(0, clip.length, 240)]
    assert sum(map(len, pieces)) == clip.length == len(whole)
    assert b"".join(piece.tobytes() for piece in pieces) == whole.tobytes()
