"""Guessing of passwords: who failed how often, how long the next answer takes, and when a source is banned.

Asked by whoever authenticates, before and after a password is judged; the caller has made sure that the source is no
forged one (a nonce is good for the host that it was made for). Counts are kept for a source and the account that it
names, whether or not that account exists. Nothing here locks an account: other sources never notice.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from .sources import counted_as

FREE_FAILURES: Final = 4
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 2.0
BAN_AFTER: Final = 20
WINDOW_S: Final = 60.0
BAN_S: Final = 600.0
MOST_SOURCES: Final = 4096
MOST_ACCOUNTS: Final = 32
ANY_ACCOUNT: Final = "*"


class Standing(Enum):
    """How a source stands for an account.

    `FREE` may try; `WAITING` has not got its last answer yet, and what it sends meanwhile is not looked at;
    `BANNED` is not looked at for a longer time.
    """

    FREE = auto()
    WAITING = auto()
    BANNED = auto()


@dataclass(slots=True)
class _Failures:
    """What one source did with one account: failures since the last success, the times of the last 20."""

    count: int = 0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=BAN_AFTER))
    waits_until: float = 0.0
    banned_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Ban:
    """A source that may not try an account any more, after so many `failures`; `*` is one that tried too many."""

    source: str
    account: str
    until: float
    failures: int


class Guesses:
    """Who guessed. Of a source `MOST_ACCOUNTS` are told apart, further ones count as one; old sources are forgotten."""

    def __init__(self, most_sources: int = MOST_SOURCES) -> None:
        self._most_sources = most_sources
        self._sources: OrderedDict[str, dict[str, _Failures]] = OrderedDict()

    def __len__(self) -> int:
        """Count what is kept: pairs of source and account."""
        return sum(len(accounts) for accounts in self._sources.values())

    def standing(self, host: str, account: str, now: float) -> Standing:
        """Say whether a password for `account` from `host` is to be looked at."""
        accounts = self._sources.get(counted_as(host))
        if accounts is None:
            return Standing.FREE
        failures = accounts.get(_name(accounts, account))
        if failures is None:
            return Standing.FREE
        if now < failures.banned_until:
            return Standing.BANNED
        return Standing.WAITING if now < failures.waits_until else Standing.FREE

    def failed(self, host: str, account: str, now: float) -> float | Ban:
        """Note a wrong password; returns how many seconds its answer takes, or the ban that it led to."""
        source = counted_as(host)
        accounts = self._sources.setdefault(source, {})
        self._sources.move_to_end(source)
        if len(self._sources) > self._most_sources:
            self._sources.popitem(last=False)
        name = _name(accounts, account)
        failures = accounts.setdefault(name, _Failures())
        if failures.times and now - failures.times[-1] > BAN_S:
            failures.count = 0
        failures.count += 1
        failures.times.append(now)
        if len(failures.times) == BAN_AFTER and now - failures.times[0] <= WINDOW_S:
            failures.banned_until = now + BAN_S
            failures.times.clear()
            return Ban(source, name, failures.banned_until, failures.count)
        beyond = failures.count - FREE_FAILURES
        delay_s = min(FIRST_DELAY_S * 2 ** (min(beyond, 8) - 1), LONGEST_DELAY_S) if beyond > 0 else 0.0
        failures.waits_until = now + delay_s
        return delay_s

    def passed(self, host: str, account: str) -> None:
        """Note the right password: earlier failures of this source were typing errors."""
        source = counted_as(host)
        accounts = self._sources.get(source)
        if accounts is not None and accounts.pop(account, None) is not None and not accounts:
            del self._sources[source]

    def lift(self, source: str, account: str, now: float) -> bool:
        """End a ban; False when there is none. `source` and `account` are the `Ban`'s."""
        accounts = self._sources.get(source, {})
        failures = accounts.get(account)
        if failures is None or now >= failures.banned_until:
            return False
        self.passed(source.partition("/")[0], account)
        return True

    def bans(self, now: float) -> list[Ban]:
        """Every ban that stands."""
        return [
            Ban(source, account, failures.banned_until, failures.count)
            for source, accounts in self._sources.items()
            for account, failures in accounts.items()
            if now < failures.banned_until
        ]


def _name(accounts: dict[str, _Failures], account: str) -> str:
    return account if account in accounts or len(accounts) < MOST_ACCOUNTS else ANY_ACCOUNT
