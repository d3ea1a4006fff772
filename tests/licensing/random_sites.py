"""Random sites for hypothesis: users at three places, plain licences, packages, contingents, reservations, changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from ringfence.licensing.catalogue import DEALT_LICENCES, FUNCTIONS, LICENCES
from ringfence.licensing.demand import Subject
from ringfence.licensing.entitlement import Entitlement
from ringfence.licensing.modes import Enforce, Grace, Mode, Modes, Overdraft, Warn
from ringfence.licensing.order import ServiceOrder
from ringfence.licensing.package import Package
from ringfence.licensing.what_if import Change

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PLACES: tuple[str, ...] = ("Ulm", "Bonn", "Kiel")
_ONE_A_LICENCE = ("cti", "softphone", "teamdesk", "voicemail", "fax", "contacts", "dashboard", "tapi_line")
_functions = st.frozensets(st.sampled_from(_ONE_A_LICENCE * 3 + tuple(FUNCTIONS)), max_size=5)
_counts = st.dictionaries(st.sampled_from(DEALT_LICENCES), st.integers(0, 4))
_days = st.integers(-3, 3)
_modes: st.SearchStrategy[Mode] = st.sampled_from([Enforce(), Warn(), Grace(3), Grace(5, 50), Overdraft(1)])


@dataclass(frozen=True)
class Site:
    """What is bought, who is there, in what order they are served, and a change to it."""

    plain: dict[str, int]
    packages: tuple[Package, ...]
    subjects: tuple[Subject, ...]
    order: ServiceOrder
    modes: Modes
    over_since: dict[str, datetime]
    change: Change

    @property
    def entitlement(self) -> Entitlement:
        return Entitlement.of(self.plain, self.packages, NOW)


@st.composite
def packages(draw: st.DrawFn, name: str) -> Package:
    """A package that begins and ends within days of now; nobody signed it."""
    begins = NOW.date() + timedelta(draw(_days))
    ends = draw(st.none() | _days.map(lambda days: begins + timedelta(abs(days))))
    licences = draw(st.dictionaries(st.sampled_from(sorted(LICENCES)), st.integers(1, 4), min_size=1))
    not_after = None if ends is None else ends.isoformat()
    return Package(
        name, "Firma", "0" * 16, licences, "2026-01-01", begins.isoformat(), not_after, 1, b"", name.encode()
    )


@st.composite
def sites(draw: st.DrawFn) -> Site:
    plain = draw(st.dictionaries(st.sampled_from(sorted(LICENCES)), st.integers(0, 5)))
    plain.setdefault("server", draw(st.sampled_from([1, 1, 1, 0])))
    plain.setdefault("ip_channel", draw(st.integers(0, 3)))
    seqs = draw(st.lists(st.integers(1, 99), unique=True, max_size=12))
    subjects = tuple(subject(draw, seq) for seq in seqs)
    names = [one.name for one in subjects]
    some = st.lists(st.sampled_from([*names, "gone"]), unique=True, max_size=4).map(tuple)
    order = ServiceOrder(
        draw(st.dictionaries(st.sampled_from(DEALT_LICENCES), some)),
        draw(st.dictionaries(st.sampled_from(PLACES), _counts)),
    )
    bought = tuple(draw(packages(f"p{n}")) for n in range(draw(st.integers(0, 2))))
    modes = Modes(draw(_modes), draw(st.dictionaries(st.sampled_from(DEALT_LICENCES), _modes, max_size=3)))
    since = st.integers(0, 4).map(lambda days: NOW - timedelta(days))
    over_since = draw(st.dictionaries(st.sampled_from(DEALT_LICENCES), since))
    return Site(plain, bought, subjects, order, modes, over_since, draw(changes(plain, subjects)))


def subject(draw: st.DrawFn, seq: int) -> Subject:
    return Subject(f"u{seq}", seq, draw(st.sampled_from(PLACES)), None, draw(_functions))


@st.composite
def changes(draw: st.DrawFn, plain: dict[str, int], subjects: tuple[Subject, ...]) -> Change:
    keys = st.dictionaries(st.sampled_from(sorted(LICENCES)), st.integers(-3, 3), max_size=3)
    add = {key: max(count, -plain.get(key, 0)) for key, count in draw(keys).items()}
    some = st.sets(st.sampled_from(subjects), max_size=2) if subjects else st.just(set[Subject]())
    move = {
        one.name: replace(one, location=draw(st.sampled_from(PLACES)), functions=draw(_functions))
        for one in sorted(draw(some), key=lambda one: one.seq)
    }
    delete = frozenset(one.name for one in draw(some)) - move.keys()
    create = tuple(subject(draw, seq) for seq in range(100, 100 + draw(st.integers(0, 2))))
    more = (draw(packages("new")),) if draw(st.booleans()) else ()
    at = draw(st.none() | st.integers(0, 5).map(lambda days: NOW + timedelta(days)))
    return Change(add, move, more, create, delete, at)
