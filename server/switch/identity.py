"""Who sends a request: a trunk by its address, an account by its digest, or nobody yet (RFC 3261 22).

Each user has two accounts with one password: the extension (desk phone) and the name (softphone). Trunk peers are never
challenged; all others always are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...channels.session import Party
from ..sip.credentials import Challenge, Credentials
from ..sip.digest import Nonces, Verdict, ha1

if TYPE_CHECKING:
    from random import Random

    from ..sip.flow import Peer
    from ..sip.message import Request
    from ..site.administration import Administration
    from ..site.site import Trunk, User


class Identity:
    """Tells who is who for one server."""

    def __init__(self, administration: Administration, random: Random) -> None:
        self._administration = administration
        self.realm = administration.directory.site.server.domain
        self._nonces = Nonces(random)
        self._ha1: dict[tuple[str, str], str] = {}
        self._nobody = ha1("nobody", self.realm, f"{random.getrandbits(128):032x}")

    def trunk_of(self, source: Peer) -> Trunk | None:
        """Return the trunk whose peer sends from `source`."""
        return self._administration.directory.trunk_of(source.host, source.port)

    def of_account(self, request: Request, now: float) -> Party | Challenge:
        """Return the account that proves itself in `request`, or what to ask it.

        An unknown account costs the same time as a wrong password. Raises `SipSyntaxError` for malformed credentials.
        """
        credentials = self._credentials(request)
        if credentials is None:
            return self._challenge(now)
        account = credentials.username
        user, is_extension = self._account(account)
        secret = self._nobody if user is None else self._secret(account, user.password)
        verdict = self._nonces.verify(credentials, request.method, request.uri, secret, now)
        if verdict is Verdict.OK and user is not None:
            return Party(account, user.display_name, user.name, extension=is_extension)
        return self._challenge(now, stale=verdict in (Verdict.STALE, Verdict.REPLAY))

    def _credentials(self, request: Request) -> Credentials | None:
        values = request.all("authorization") + request.all("proxy-authorization")
        parsed = (Credentials.parse(value) for value in values)
        return next((one for one in parsed if one is not None and one.realm == self.realm), None)

    def _challenge(self, now: float, *, stale: bool = False) -> Challenge:
        return Challenge(self.realm, self._nonces.mint(now), stale=stale)

    def _account(self, account: str) -> tuple[User | None, bool]:
        user = self._administration.directory.by_extension(account)
        if user is not None:
            return user, True
        return self._administration.directory.by_name(account), False

    def _secret(self, account: str, password: str) -> str:
        key = (account, password)
        if key not in self._ha1:
            self._ha1[key] = ha1(account, self.realm, password)
        return self._ha1[key]
