"""Who sends a request: a trunk by its address, an account by its digest, or nobody yet (RFC 3261 22).

Each user has three accounts with one password: the extension (desk phone), the name (softphone) and the name with
`+mobile` (mobile softphone). Trunk peers are never
challenged; all others always are. Whoever guesses at passwords waits for his answers and is banned at last, from his
own address alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...channels.session import Party
from ...licensing.refusal import Refusal
from ..sip.credentials import Algorithm, Challenge, Credentials, find_algorithm, find_credentials, ha1
from ..sip.digest import Nonces, Verdict
from ..sip.guessing import BAN_S, Ban, Guesses, Standing
from ..sip.rate import Rates
from ..sip.sources import TrustedSources
from .events import SourceBanned, SourceUnbanned
from .explain import refusal_headers

if TYPE_CHECKING:
    from random import Random

    from ..sip.flow import Peer
    from ..sip.message import Request
    from ..site.administration import Administration
    from ..site.site import Trunk, User
    from .stream import EventStream

BANNED = Refusal("auth.banned")


@dataclass(frozen=True, slots=True)
class Unproven:
    """Nobody yet: to be answered `status` with `headers`, without a transaction, at the time `at` (None: now)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    at: float | None = None


class Identity:
    """Tells who is who for one server; `unheard` counts requests of strangers that came too fast for an answer."""

    def __init__(self, administration: Administration, stream: EventStream, random: Random) -> None:
        self._administration = administration
        self._stream = stream
        site = administration.directory.site
        self.realm = site.server.domain
        self._algorithms = tuple(Algorithm(name) for name in site.security.digest_algorithms)
        self._trusted = TrustedSources(site.security.trusted_sources)
        self._nonces = Nonces(random)
        self._guesses = Guesses()
        self._rates = Rates()
        self._ha1: dict[tuple[str, str, Algorithm], str] = {}
        self._nobody = f"{random.getrandbits(256):064x}"  # the hash of no password
        self.unheard = 0

    def trunk_of(self, source: Peer) -> Trunk | None:
        """Return the trunk whose peer sends from `source`."""
        return self._administration.directory.trunk_of(source.host, source.port)

    def bans(self, now: float) -> list[Ban]:
        """Every ban for guessing that stands."""
        return self._guesses.bans(now)

    def lift(self, source: str, account: str, now: float, *, by: str) -> bool:
        """End a ban before its time; False when there is none."""
        if not self._guesses.lift(source, account, now):
            return False
        self._stream.publish(SourceUnbanned(source, account, by))
        return True

    def of_account(self, request: Request, source: Peer, now: float) -> Party | Unproven | None:
        """Return the account that proves itself in `request`, or how to answer; None for not at all.

        An unknown account is answered like a wrong password, and costs the same time. Raises `SipSyntaxError` for
        malformed credentials.
        """
        host = source.host
        is_trusted = host in self._trusted
        values = request.all("authorization") + request.all("proxy-authorization")
        credentials = find_credentials(values, self.realm)
        algorithm = find_algorithm(credentials.algorithm) if credentials is not None else None
        if credentials is None or algorithm is None:
            return self._ask(host, now, is_trusted=is_trusted)
        if not is_trusted:
            match self._guesses.standing(host, credentials.username, now):
                case Standing.BANNED:
                    return Unproven(403, tuple(refusal_headers(BANNED, None)))
                case Standing.WAITING:
                    return None
                case Standing.FREE:
                    pass
        return self._judge(credentials, algorithm, request, host, now, is_trusted=is_trusted)

    def _judge(
        self,
        credentials: Credentials,
        algorithm: Algorithm,
        request: Request,
        host: str,
        now: float,
        *,
        is_trusted: bool,
    ) -> Party | Unproven | None:
        account = credentials.username
        user, is_extension = self._account(account)
        secret = self._nobody if user is None else self._secret(account, user.password, algorithm)
        verdict = self._nonces.verify(
            credentials, request.method, request.uri, secret, now, source=host, algorithm=algorithm
        )
        if verdict is Verdict.OK and user is not None:
            self._guesses.passed(host, account)
            return Party(account, user.display_name, user.name, extension=is_extension)
        if verdict is not Verdict.WRONG or is_trusted:
            return self._ask(host, now, stale=verdict is not Verdict.WRONG, is_trusted=is_trusted)
        match self._guesses.failed(host, account, now):
            case Ban(source, name):
                self._stream.publish(SourceBanned(source, name, BAN_S))
                return Unproven(403, tuple(refusal_headers(BANNED, None)))
            case delay_s:
                return self._challenge(host, now, at=now + delay_s if delay_s else None)

    def _ask(self, host: str, now: float, *, is_trusted: bool, stale: bool = False) -> Unproven | None:
        """Challenge whoever has not proved anything, unless he comes too fast."""
        if is_trusted or self._rates.allow(host, now):
            return self._challenge(host, now, stale=stale)
        self.unheard += 1
        return None

    def _challenge(self, host: str, now: float, *, stale: bool = False, at: float | None = None) -> Unproven:
        """Ask for each algorithm, in the order of preference (RFC 8760 2.3)."""
        return Unproven(
            401,
            tuple(
                (
                    "WWW-Authenticate",
                    str(Challenge(self.realm, self._nonces.mint(now, host, one), one.value, stale=stale)),
                )
                for one in self._algorithms
            ),
            at,
        )

    def _account(self, account: str) -> tuple[User | None, bool]:
        user = self._administration.directory.user_of(account)
        return user, user is not None and user.extension == account

    def _secret(self, account: str, password: str, algorithm: Algorithm) -> str:
        key = (account, password, algorithm)
        secret = self._ha1.get(key)
        if secret is None:
            secret = self._ha1[key] = ha1(account, self.realm, password, algorithm)
        return secret
