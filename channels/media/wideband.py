"""G.722 at the edge of a stream (RFC 3551 4.5.2): within the plane its audio is A-law, as all other is.

The clock of its RTP is 8000 Hz, and it has as many bytes as A-law has, so that everything in between is the same. The
library is optional (`pip install 'ringfence[g722]'`): without it nobody is offered G.722. See docs/decisions/0023.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from .g711 import PAYLOAD_TYPES, SAMPLE_RATE_HZ, decode, encode
from .plane import Codec

if TYPE_CHECKING:
    from collections.abc import Callable

    from .acceptance import Source
    from .rtp import Packet

PAYLOAD_TYPE = 9
"""The static payload type of RFC 3551, table 4."""

IS_AVAILABLE = find_spec("G722") is not None
"""Whether the library is installed."""

_BITS_PER_S = 64000
_NARROW = PAYLOAD_TYPES[Codec.PCMA]


class Wideband:
    """One far end that speaks G.722; each direction has a state that goes on from packet to packet."""

    __slots__ = ("_decoder", "_encoder", "onward")

    def __init__(self, onward: Callable[[bytes, Source], object]) -> None:
        from G722 import G722  # noqa: PLC0415 - only where it was agreed

        self.onward = onward
        """Where what is sent goes next."""
        self._decoder = G722(SAMPLE_RATE_HZ, _BITS_PER_S)
        self._encoder = G722(SAMPLE_RATE_HZ, _BITS_PER_S)

    def narrowed(self, packet: Packet) -> Packet:
        """Return what the far end sent as a packet of A-law; all but G.722 stays as it is."""
        if packet.payload_type != PAYLOAD_TYPE:
            return packet
        samples = self._decoder.decode(packet.payload)
        return packet._replace(payload_type=_NARROW, payload=encode(samples, Codec.PCMA))

    def transmit(self, data: bytes, destination: Source) -> None:
        """Send a packet of ours, A-law as G.722; all else stays as it is."""
        if data[1] & 0x7F == _NARROW:
            kind = data[1] - _NARROW + PAYLOAD_TYPE
            data = (
                data[:1] + bytes((kind,)) + data[2:12] + self._encoder.encode(decode(data[12:], Codec.PCMA))
            )
        self.onward(data, destination)
