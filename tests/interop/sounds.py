"""What the server says and keeps, by HTTP: a tone for an announcement, and the message that somebody left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tone_file import write_tone

from ringfence.channels.media.audio import Audio

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.fixtures.served import Served

ANNOUNCED_HZ = 440


def announce(served: Served, path: str, room: Path) -> None:
    """Make a second of 440 Hz the greeting of a box or the prompt of an attendant."""
    write_tone(room / "announced.wav", ANNOUNCED_HZ, 1)
    served.fetch(path, "PUT", (room / "announced.wav").read_bytes())


def message(served: Served, user: str, room: Path) -> Audio:
    """The one message in a box."""
    (entry,) = served.get(f"/api/v1/users/{user}/voicemails")
    (room / "message.wav").write_bytes(served.fetch(f"/api/v1/voicemails/{entry['id']}/audio"))
    return Audio.from_wav(room / "message.wav")
