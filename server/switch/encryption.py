"""With whom keys for SRTP are agreed, and who insists on it; see docs/decisions/0031-srtp.md.

One for each switch. It remembers far ends that have nothing but RTP/SAVP, so that the next call offers them that at
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.media import srtp
from ..sip.flow import is_encrypted
from ..sip.sdes import Keying

if TYPE_CHECKING:
    from random import Random

    from ..sip.flow import Peer
    from ..site.administration import Administration

MOST_REMEMBERED = 10_000
"""So many far ends are remembered, those that were seen last."""


class Encryption:
    """See the module."""

    def __init__(self, administration: Administration, random: Random) -> None:
        self._administration = administration
        self._random = random
        self._insisting: dict[Peer, None] = {}

    def keying(self, *peers: Peer) -> Keying:
        """Return how keys are agreed with a far end at one of `peers`, all of which may get to see them."""
        setting = self._administration.directory.site.media.srtp
        if setting == "off":
            return _OFF
        if setting != "always" and not all(map(is_encrypted, peers)):
            return _IN_CLEAR
        if not srtp.IS_AVAILABLE:
            return _NOT_INSTALLED
        return Keying(self._random, None, insists=peers[0] in self._insisting)

    def note(self, peer: Peer) -> None:
        """Remember that a far end insists."""
        self._insisting.pop(peer, None)
        self._insisting[peer] = None
        if len(self._insisting) > MOST_REMEMBERED:
            del self._insisting[next(iter(self._insisting))]

    def turn(self, *peers: Peer) -> bool:
        """Offer the other profile from now on to a far end that refused the one; False where there is no other."""
        if self.keying(*peers).refusal is not None:
            return False
        if peers[0] in self._insisting:
            del self._insisting[peers[0]]
        else:
            self.note(peers[0])
        return True


_OFF = Keying(refusal="media.srtp.off")
_IN_CLEAR = Keying(refusal="media.srtp.in_clear")
_NOT_INSTALLED = Keying(refusal="media.srtp.not_installed")
