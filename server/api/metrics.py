"""The metrics of one server: counted in plain numbers while it runs, and dressed for Prometheus when somebody asks.

`prometheus_client` is imported at the first question, and its registry belongs to this server alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..switch.events import CallEnded, CallStarted, MessageLeft, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from ..app import Pbx
    from ..switch.stream import Stamped


class Metrics:
    """Listens to the stream of `pbx`; `close` ends that."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._counts: Counter[type] = Counter()
        self._refusals: Counter[str] = Counter()
        self._registry: CollectorRegistry | None = None
        self.close = pbx.stream.listen(self._note)

    def text(self) -> bytes:
        """Write all metrics in the text format 0.0.4."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - at the first question

        if self._registry is None:
            self._registry = CollectorRegistry()
            self._registry.register(self)
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Give Prometheus what there is; see `prometheus_client.registry.Collector`."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 - as above

        pbx, count = self._pbx, self._counts
        pools = list(pbx.pools)
        for name, text, values in (
            ("limit", "Channels licensed.", [pool.limit for pool in pools]),
            ("used", "Channels occupied.", [pool.used for pool in pools]),
            ("high_water", "Channels occupied at most since the start.", [pool.high_water for pool in pools]),
        ):
            gauge = GaugeMetricFamily(f"ringfence_channels_{name}", text, labels=["pool"])
            for pool, value in zip(pools, values, strict=True):
                gauge.add_metric([pool.key], value)
            yield gauge
        denied = CounterMetricFamily(
            "ringfence_channels_denied", "Calls denied for want of a channel.", labels=["pool"]
        )
        for pool in pools:
            denied.add_metric([pool.key], pool.denied)
        yield denied
        refusals = CounterMetricFamily("ringfence_refusals", "Refusals by reason.", labels=["reason"])
        for reason, number in sorted(self._refusals.items()):
            refusals.add_metric([reason], number)
        yield refusals
        bindings = sum(len(contacts) for _, contacts in pbx.registrar.accounts(pbx.clock.now()))
        yield GaugeMetricFamily("ringfence_calls", "Live calls.", value=len(pbx.switch.calls))
        yield GaugeMetricFamily("ringfence_registrations", "Registered contacts.", value=bindings)
        yield CounterMetricFamily("ringfence_calls_started", "Calls begun.", value=count[CallStarted])
        yield CounterMetricFamily("ringfence_calls_ended", "Calls over.", value=count[CallEnded])
        yield CounterMetricFamily(
            "ringfence_messages_left", "Voicemail messages kept.", value=count[MessageLeft]
        )

    def _note(self, stamped: Stamped) -> None:
        event = stamped.event
        self._counts[type(event)] += 1
        if isinstance(event, Refused):
            self._refusals[event.reason] += 1
