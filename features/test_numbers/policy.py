"""Which test number does what; a number that the site configures goes before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...licensing.refusal import Refusal
from ..route import Answer, Behaviour, Final, Refuse, Route
from . import behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...channels.media.national_tones import NationalTones

_BEHAVIOURS: Mapping[str, Behaviour] = {
    "00": behaviour.echo,
    "01": lambda call: behaviour.sound(call, behaviour.TONE_440_HZ),
    "02": behaviour.ring_only,
    "04": partial(behaviour.late, after_s=3.0),
    "05": behaviour.read_back,
    "200": behaviour.inactive,
}


def test_route(suffix: str, tones: NationalTones) -> Route | None:
    """Return the route of the test number with these digits after the prefix; None when there is none.

    `tones` are the site's; whoever listens for them in a call hears them at 06 to 09.
    """
    if suffix in _BEHAVIOURS:
        return Answer(_BEHAVIOURS[suffix])
    if suffix == "03":
        return Refuse(Refusal("user.busy"))
    if len(suffix) == 3 and suffix.isascii() and suffix.isdigit() and 400 <= int(suffix) <= 699:
        return Final(int(suffix))
    progress = {
        "06": (tones.dial,),
        "07": (tones.busy,),
        "08": (tones.congestion,),
        "09": tones.special_information,
    }.get(suffix)
    return None if progress is None else Answer(lambda call: behaviour.sound(call, *progress))
