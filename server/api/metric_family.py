"""Metrics with one label, dressed for Prometheus; `prometheus_client` is imported when the first is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client.core import Metric


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """What goes up and down: `ringfence_<name>` with a value for each value of `label`."""
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - at the first question

    family = GaugeMetricFamily(f"ringfence_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """What only goes up: `ringfence_<name>_total`, likewise."""
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - as above

    family = CounterMetricFamily(f"ringfence_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
