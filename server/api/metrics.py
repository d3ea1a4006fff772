"""The metrics of one server: counted in plain numbers while it runs, and dressed for Prometheus when somebody asks.

`prometheus_client` is imported at the first question, and its registry belongs to this server alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..event_form import name_of
from ..site.events import LimitReached
from ..switch.events import Refused
from .licence_metrics import licence_metrics, webhook_metrics
from .metric_family import counters, gauges

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
        self._counts: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._limits: Counter[str] = Counter()
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
        for name, text, channels in (
            ("limit", "Channels licensed.", {pool.key: pool.limit for pool in pbx.pools}),
            ("used", "Channels occupied.", {pool.key: pool.used for pool in pbx.pools}),
            (
                "high_water",
                "Channels occupied at most since the start.",
                {pool.key: pool.high_water for pool in pbx.pools},
            ),
        ):
            yield gauges(f"channels_{name}", text, "pool", channels)
        denied = {pool.key: pool.denied for pool in pbx.pools}
        yield counters("channels_denied", "Calls denied for want of a channel.", "pool", denied)
        for name, text, label, counted in (
            ("refusals", "Refusals by reason.", "reason", self._refusals),
            ("limit_reached", "How often the last licence or channel was taken.", "pool", self._limits),
            ("events", "Events of the stream.", "event", self._counts),
        ):
            yield counters(name, text, label, dict(sorted(counted.items())))
        ports = {"free": pbx.plane.ports.free, "used": pbx.plane.ports.used}
        yield gauges("rtp_ports", "RTP ports bound in advance, and with a stream or at rest.", "state", ports)
        bindings = sum(len(contacts) for _, contacts in pbx.registrar.accounts(pbx.clock.now()))
        yield GaugeMetricFamily("ringfence_calls", "Live calls.", value=len(pbx.switch.calls))
        yield GaugeMetricFamily("ringfence_registrations", "Registered contacts.", value=bindings)
        for name, text, event in (
            ("calls_started", "Calls begun.", "call.started"),
            ("calls_ended", "Calls over.", "call.ended"),
            ("messages_left", "Voicemail messages kept.", "message.left"),
        ):
            yield CounterMetricFamily(f"ringfence_{name}", text, value=count[event])
        watched = {name: float(count) for name, count in pbx.notifier.subscriptions.items()}
        yield gauges("subscriptions", "Subscriptions to events.", "package", watched)
        trunks = {name: float(is_registered) for name, is_registered in pbx.trunks.registered.items()}
        if trunks:
            yield gauges("trunk_registered", "Whether we are registered at a trunk.", "trunk", trunks)
        bans = len(pbx.identity.bans(pbx.clock.now()))
        yield GaugeMetricFamily("ringfence_banned_sources", "Bans for guessing passwords.", value=bans)
        yield GaugeMetricFamily("ringfence_sip_transactions", "SIP transactions.", value=pbx.sip_transactions)
        yield CounterMetricFamily(
            "ringfence_sip_unheard",
            "Requests of strangers that came too fast to be answered.",
            value=pbx.identity.unheard,
        )
        yield CounterMetricFamily(
            "ringfence_sip_shed", "Requests turned away in overload.", value=pbx.sip_load.shed
        )
        yield CounterMetricFamily(
            "ringfence_sip_dropped",
            "Requests dropped unread, when not even turning away kept up.",
            value=pbx.sip_load.dropped,
        )
        yield from licence_metrics(pbx.administration)
        if pbx.hooks is not None:
            yield from webhook_metrics(pbx.hooks.outboxes)

    def _note(self, stamped: Stamped) -> None:
        event = stamped.event
        self._counts[name_of(event)] += 1
        if isinstance(event, Refused):
            self._refusals[event.reason] += 1
        elif isinstance(event, LimitReached):
            self._limits[event.pool] += 1
