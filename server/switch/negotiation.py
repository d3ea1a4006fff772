"""Offer and answer on one connection (RFC 3264), from the INVITE through every re-INVITE.

A connection asks for bodies to send and tells of those that came; what was agreed last stays until something else is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..sip import offer_answer
from ..sip.sdes import UNKEYED, Crypto
from ..sip.sdp import Direction, Sdp

if TYPE_CHECKING:
    from ...channels.media.plane import Codec, Remote
    from ..sip.offer_answer import Agreed
    from ..sip.sdes import Keying

DISCARD_PORT = 9


class Negotiation:
    """One session description of ours, in all its versions. `host` and `port` are where our stream hears.

    `wanted` is the direction that the far end asked for itself, `allowed` what it may have of us: the reverse of what
    the other end of a bridge wants. `peer` is the far end that it may speak to directly instead of our stream, `told`
    the one that it does speak to. `keying` says whether audio may be encrypted on the way that the next body takes.
    """

    def __init__(self, session_id: int, host: str) -> None:
        self._session_id = session_id
        self._host = host
        self._version = 0
        self._theirs: Sdp | None = None
        self._ours = ""
        self._early: bytes | None = None
        self._shown = self._showing = self._offered = Direction.SENDRECV
        self.agreed: Agreed | None = None
        self.peer: Agreed | None = None
        self.told: Agreed | None = None
        self._telling: Agreed | None = None
        self.refuses_peers = False
        """Whether the far end has refused to speak to another one directly; it is not asked again."""
        self.keying: Keying = UNKEYED
        self.allowed = Direction.SENDRECV
        self.wanted = Direction.SENDRECV
        self._has_listened = False
        self.wanted_codec: Codec | None = None
        """What their offer has first among what we know, in case somebody is offered the same on their behalf."""

    @property
    def awaits_answer(self) -> bool:
        """Whether the last offer was ours, and its answer has not come."""
        return bool(self._ours)

    @property
    def has_offer(self) -> bool:
        """Whether the far end has made an offer."""
        return self._theirs is not None

    @property
    def is_early(self) -> bool:
        """Whether a provisional response has shown our session, and the call is not taken yet."""
        return self._early is not None

    @property
    def insists(self) -> bool:
        """Whether the far end has audio only by RTP/SAVP, as far as is known."""
        return self.keying.insists if self.agreed is None else self.agreed.savp

    @property
    def is_stale(self) -> bool:
        """Whether the far end was last shown another direction, or address, than is allowed now."""
        return self.allowed is not self._shown or self.peer != self.told

    def remote(self, signalling_host: str, *, energy: bool) -> Remote | None:
        """Give what is agreed as the media plane wants it; None before anything is.

        While the far end speaks to another one, our stream rests, or it would hear both.
        """
        if self.agreed is None:
            return None
        remote = self.agreed.remote(signalling_host, energy=energy)
        if self.told is not None:
            return replace(remote, sends=False, receives=False, rtcp=None, rtcp_mux=False)
        return replace(remote, holds=True) if self.holds else remote

    @property
    def holds(self) -> bool:
        """Whether the far end, which has listened before, does not want to now (RFC 3264 8.4)."""
        return self._has_listened and not self.wanted.receives

    def _want(self, *, sends: bool, receives: bool) -> None:
        self.wanted = Direction.of(sends=sends, receives=receives)
        self._has_listened = self._has_listened or receives

    def take_offer(self, body: bytes) -> None:
        """Read the caller's offer before anything is promised; raises `SdpError`. No body: the offer will be ours."""
        if body:
            offered = Sdp.parse(body)
            self.wanted_codec = offer_answer.check(offered, self.keying)
            self._theirs = offered

    def offer(self, port: int, *, inactive: bool = False, first: Codec | None = None) -> bytes:
        """Write an offer, with codec `first` before the others."""
        self._version += 1
        self._showing, self._offered = self.allowed, Direction.INACTIVE if inactive else self.allowed
        self._telling = self.peer
        self._ours = offer_answer.offer(
            self._host,
            port,
            session_id=self._session_id,
            version=self._version,
            codecs=offer_answer.with_first(first),
            direction=self._offered,
            behalf=self.peer,
            cryptos=self._cryptos(),
            savp=self.insists,
        )
        return self._ours.encode()

    def _cryptos(self) -> tuple[Crypto, ...]:
        """Return the keys to offer: those in use, or several to choose from when nothing is agreed."""
        if self.agreed is None:
            return self.keying.offers()
        keys = self.agreed.keys if self.keying.refusal is None else None
        return () if keys is None else (Crypto(1, keys.suite, keys.ours),)

    def begin_early(self, port: int, codec: Codec | None = None) -> bytes:
        """Write what an 18x shows: the answer, which the 2xx repeats, or an offer of ours (RFC 3262 5)."""
        body = self.answer(port, inactive=False, codec=codec)
        self._early = b"" if self._theirs is None else body
        return body

    def answer(self, port: int, *, inactive: bool, codec: Codec | None = None) -> bytes:
        """Write the answer to the offer that was taken, with `codec` where it is offered; or an offer of ours.

        What a provisional response has settled already, stays.
        """
        if self._early is not None:
            early, self._early = self._early, None
            return early
        if self._theirs is None:
            return self.offer(port, inactive=inactive, first=codec)
        self._shown = self.allowed
        self._version += 1
        write = partial(
            offer_answer.answer,
            self._theirs,
            self._host,
            port,
            session_id=self._session_id,
            version=self._version,
            preferred=codec,
            direction=Direction.INACTIVE if inactive else self.allowed,
            keying=self.keying,
            in_use=None if self.agreed is None else self.agreed.keys,
        )
        body, agreed = write()
        self.told = self.peer if self.agreed is not None and _is_same(agreed, self.agreed) else None
        if self.told is not None:
            body, agreed = write(behalf=self.told)
        self.agreed = agreed
        self._want(sends=agreed.sends, receives=agreed.receives)
        return body.encode()

    def reanswer(self, body: bytes, port: int, *, inactive: bool) -> bytes:
        """Answer a re-INVITE or UPDATE with the codec in use, or make it an offer; after `SdpError` all is as it was.

        Of early media it is the 2xx that repeats the answer.
        """
        codec, before, early = (
            self.agreed.codec if self.agreed is not None else None,
            self._theirs,
            self._early,
        )
        self._theirs = self._early = None
        try:
            self.take_offer(body)
        except ValueError:
            self._theirs, self._early = before, early
            raise
        answered = self.answer(port, inactive=inactive, codec=codec)
        if early is not None:
            self._early = answered
        return answered

    def take_answer(self, body: bytes) -> None:
        """Read the answer to our offer; raises `SdpError`."""
        ours, self._ours = self._ours, ""
        self._settle(ours, body)

    def take_early_answer(self, body: bytes) -> None:
        """Read an answer in a provisional response; raises `SdpError`. Of a fork, or in the 2xx, another may follow."""
        self._settle(self._ours, body)

    def _settle(self, ours: str, body: bytes) -> None:
        self.agreed = offer_answer.agreed_from_answer(ours, body)
        self._shown, self.told, offered = self._showing, self._telling, self._offered
        self._want(  # what was not offered, the answer does not decline
            sends=self.agreed.sends or not offered.receives,
            receives=self.agreed.receives or not offered.sends,
        )

    def withdraw(self) -> None:
        """Our offer could not be made now; the next one takes its version."""
        self._ours = ""
        self._version -= 1

    def keep_early(self) -> None:
        """No answer comes to our offer any more: what was agreed early stays."""
        self._ours = ""

    def give_up(self) -> None:
        """Our offer was refused; the far end is not asked again for the same."""
        self._ours, self._shown = "", self._showing
        self.refuses_peers = self.refuses_peers or self._telling is not None


def _is_same(one: Agreed, other: Agreed) -> bool:
    """Tell whether a far end asks for what it has; how it hears reports beside is nobody else's matter."""
    return replace(one, rtcp_mux=False) == replace(other, rtcp_mux=False)
