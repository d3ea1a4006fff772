"""The licence reports as tables for a person's eyes; imported only when nobody asked for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...licensing.catalogue import FUNCTIONS, LICENCES
from ...licensing.overview import pool_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...licensing.overview import Overview, PoolCounts
    from ...licensing.what_if import WhatIf

_NOTHING = "–"


def show_overview(company: str, report: Overview) -> None:
    """Print pools, locations, channels, the users who lack something, and the warnings."""
    console = Console()
    console.print(pools_table(company, report["pools"]))
    places = _table("By location", ("Location", "Licence"), ("required", "assigned", "missing"))
    for place, counts in report["locations"].items():
        for key, here in counts.items():
            if here["required"]:
                numbers = (here["required"], here["assigned"], here["missing"])
                places.add_row(escape(place), LICENCES[key].title, *map(str, numbers))
    console.print(places)
    channels = report["channels"]
    console.print(
        f"{channels['ip_channel']} IP channels, {channels['auto_attendant']} attendant channels, "
        f"{channels['data_sources']} data sources"
    )
    short = _table("Users without a licence that they need", ("User", "Licence", "State", "Because of"))
    for user in report["users"]:
        for lack in user["missing"]:
            because = ", ".join(lack["because"]) or _NOTHING
            short.add_row(escape(user["user"]), LICENCES[lack["licence"]].title, lack["state"], because)
    if short.row_count:
        console.print(short)
    for warning in report["warnings"]:
        console.print(f"Warning: {escape(warning['text'])}", style="yellow")


def pools_table(company: str, counts: Mapping[str, PoolCounts]) -> Table:
    """Return the pools as a table, to be printed."""
    pools = _table(f"Licences of {company}", ("Licence",), ("bought", "required", "assigned", "missing"))
    for key, count in counts.items():
        row = (count["bought"], count["required"], count["assigned"], count["missing"])
        pools.add_row(LICENCES[key].title, *map(str, row))
    return pools


def show_what_if(result: WhatIf) -> None:
    """Print how the pools change and what each user gains, loses and has deleted."""
    console = Console()
    before = pool_counts(result.entitlement_before, result.before)
    after = pool_counts(result.entitlement_after, result.after)
    pools = _table("Licences, before → after", ("Licence",), ("bought", "required", "assigned", "missing"))
    for key, old in before.items():
        new = after[key]
        if old != new:
            pairs = (
                (old["bought"], new["bought"]),
                (old["required"], new["required"]),
                (old["assigned"], new["assigned"]),
                (old["missing"], new["missing"]),
            )
            pools.add_row(LICENCES[key].title, *(f"{a} → {b}" if a != b else str(a) for a, b in pairs))
    users = _table("Users", ("User", "Gains", "Loses", "Settings deleted"))
    for one in result.users:
        gains = (*_licences(one.licences_gained), *_functions(one.functions_gained))
        loses = (*_licences(one.licences_lost), *_functions(one.functions_lost))
        users.add_row(escape(one.user), *map(_listed, (gains, loses, _functions(one.settings_deleted))))
    if not pools.row_count and not users.row_count:
        console.print("Nothing changes.")
    for table in (pools, users):
        if table.row_count:
            console.print(table)


def _table(title: str, texts: Iterable[str], numbers: Iterable[str] = ()) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for name in texts:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _licences(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(LICENCES[key].title for key in keys)


def _functions(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(FUNCTIONS[key].title for key in keys)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or _NOTHING
