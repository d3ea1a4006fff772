"""The licence reports as tables for a person's eyes; imported only when nobody asked for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...licensing.catalogue import LICENCES
from ...licensing.overview import pool_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...licensing.overview import Overview, PoolCounts
    from ...licensing.refusal import Language
    from ...licensing.what_if import WhatIf

_NOTHING = "–"
_CHANGE_EN = ("Licences, before → after", "Licence", ("bought", "required", "assigned", "missing"))
_CHANGE_DE = ("Lizenzen, vorher → nachher", "Lizenz", ("gekauft", "benötigt", "zugeteilt", "fehlt"))


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
    _show_packages(console, report)
    channels = report["channels"]
    console.print(
        f"{channels['ip_channel']} IP channels, {channels['auto_attendant']} attendant channels, "
        f"{channels['data_sources']} data sources"
    )
    _show_packages(console, report)
    short = _table("Users without a licence that they need", ("User", "Licence", "State", "Because of"))
    for user in report["users"]:
        for lack in user["missing"]:
            because = ", ".join(lack["because"]) or _NOTHING
            short.add_row(escape(user["user"]), LICENCES[lack["licence"]].title, lack["state"], because)
    if short.row_count:
        console.print(short)
    for warning in report["warnings"]:
        console.print(f"Warning: {escape(warning['text'])}", style="yellow")


def _show_packages(console: Console, report: Overview) -> None:
    table = _table("Licence packages", ("Package", "Customer", "State", "Until", "Signed by", "Licences"))
    for package in report["packages"]:
        holds = ", ".join(f"{count} {LICENCES[key].title}" for key, count in package["licences"].items())
        signer = "[yellow]the public developer key[/]" if package["developer"] else package["key"]
        until = package["not_after"] or _NOTHING
        table.add_row(package["id"], escape(package["customer"]), package["state"], until, signer, holds)
    if table.row_count:
        console.print(table)


def pools_table(company: str, counts: Mapping[str, PoolCounts]) -> Table:
    """Return the pools as a table, to be printed."""
    pools = _table(f"Licences of {company}", ("Licence",), ("bought", "required", "assigned", "missing"))
    for key, count in counts.items():
        row = (count["bought"], count["required"], count["assigned"], count["missing"])
        pools.add_row(LICENCES[key].title, *map(str, row))
    return pools


def show_what_if(result: WhatIf, language: Language) -> None:
    """Tell what each user gains, loses and has deleted, and print how the pools change."""
    for sentence in result.sentences(language):
        typer.echo(sentence)
    before = pool_counts(result.entitlement_before, result.before)
    after = pool_counts(result.entitlement_after, result.after)
    german = language == "de"
    title, heading, numbers = _CHANGE_DE if german else _CHANGE_EN
    pools = _table(title, (heading,), numbers)
    for key, old in before.items():
        new = after[key]
        if old != new:
            pairs = (
                (old["bought"], new["bought"]),
                (old["required"], new["required"]),
                (old["assigned"], new["assigned"]),
                (old["missing"], new["missing"]),
            )
            licence = LICENCES[key].title_de if german else LICENCES[key].title
            pools.add_row(licence, *(f"{a} → {b}" if a != b else str(a) for a, b in pairs))
    if pools.row_count:
        Console().print(pools)


def _table(title: str, texts: Iterable[str], numbers: Iterable[str] = ()) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table
