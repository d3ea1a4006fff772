"""Two telephones that talk to each other: what several tests of calls begin with and end with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.channels.media.plane import Tone

if TYPE_CHECKING:
    from ringfence.fixtures.pbx import PbxUnderTest
    from ringfence.server.phones.call import PhoneCall


async def bridged(pbx: PbxUnderTest) -> tuple[PhoneCall, PhoneCall]:
    """Let Anna call Ben and both talk."""
    anna, ben = await pbx.phone("100"), await pbx.phone("101")
    call = await anna.dial("101")
    answered = await ben.answer()
    await call.answered()
    return call, answered


async def hears(listening: PhoneCall, speaking: PhoneCall, share: float = 0.5) -> bool:
    """Let one speak and tell whether that is at least `share` of what the other hears."""
    await listening.heard()
    await speaking.play(Tone((440,), 0.5))
    heard = await listening.heard()
    return heard.duration_s > 0.4 and heard.contains_tone(440, share)
