"""Licensing and webhooks as metrics: what is bought, required, assigned and missing, who is over, what expires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...licensing.catalogue import LICENCES
from ...licensing.overview import pool_counts
from .metric_family import counters, gauges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric

    from ..hooks.outbox import Outbox
    from ..site.administration import Administration


def licence_metrics(administration: Administration) -> Iterator[Metric]:
    """The licences of this moment by their keys, and the packages by their ids."""
    entitlement, over_since = administration.entitlement, administration.holdings.over_since
    counts = pool_counts(entitlement, administration.allocation, administration.lines)
    bought = {key: entitlement.capacity(key) for key in LICENCES}
    yield gauges("licences_bought", "Licences that count now, those in a bundle included.", "licence", bought)
    for name, text, values in (
        (
            "required",
            "Licences that users and lines need.",
            {key: one["required"] for key, one in counts.items()},
        ),
        (
            "assigned",
            "Licences that users and lines hold.",
            {key: one["assigned"] for key, one in counts.items()},
        ),
        ("missing", "Licences needed and not held.", {key: one["missing"] for key, one in counts.items()}),
        (
            "over",
            "Whether somebody waits for a seat (1) or nobody does (0).",
            {key: key in over_since for key in counts},
        ),
    ):
        yield gauges(f"licences_{name}", text, "licence", values)
    since = {key: at.timestamp() for key, at in over_since.items()}
    yield gauges(
        "licences_over_since_timestamp_seconds", "Since when somebody waits for a seat.", "licence", since
    )
    packages = {one.package.id: one.package for one in administration.holdings.packages}
    ends = {id_: one.ends_at.timestamp() for id_, one in packages.items() if one.ends_at is not None}
    yield gauges("package_expiry_timestamp_seconds", "When a licence package ends.", "package", ends)
    valid = {id_: one in entitlement.counting for id_, one in packages.items()}
    yield gauges(
        "package_counts", "Whether a licence package counts (1) or is without effect (0).", "package", valid
    )


def webhook_metrics(outboxes: Sequence[Outbox]) -> Iterator[Metric]:
    """What was delivered, what was not, and what waits, by the names of the webhooks."""
    boxes = {box.webhook.name: box for box in outboxes}
    waiting = {name: box.waiting for name, box in boxes.items()}
    yield gauges("webhook_waiting", "Events that are still to be told.", "webhook", waiting)
    for name, text, values in (
        ("deliveries", "Deliveries that were taken.", {name: box.taken_count for name, box in boxes.items()}),
        ("failed_tries", "Tries that failed.", {name: box.failed_count for name, box in boxes.items()}),
        ("missing", "Events that were given up.", {name: box.missing_count for name, box in boxes.items()}),
    ):
        yield counters(f"webhook_{name}", text, "webhook", values)
