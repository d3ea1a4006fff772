"""What `serve` prints for a person: where to point a phone, and with which account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from ..site.site import Site


def show_accounts(site: Site) -> None:
    """Print every user's two accounts and their password."""
    table = Table(title=f"Accounts of {escape(site.server.name)}", title_justify="left")
    for column in ("Desk phone", "Softphone", "Password", "Name", "Location"):
        table.add_column(column, no_wrap=column == "Password")
    for user in site.users:
        place = user.location if user.group is None else f"{user.location}, {user.group}"
        table.add_row(*map(escape, (user.extension, user.name, user.password, user.display_name, place)))
    Console().print(table)
