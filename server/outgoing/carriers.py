"""The carriers that a site asks for; what none carries stays in the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..site.site import Site
    from ..store.outbox import Kind
    from .carrier import Carrier


def carriers_of(site: Site) -> Mapping[Kind, Carrier]:
    """Make them; imported here is what a site without them does not need."""
    found: dict[Kind, Carrier] = {}
    if site.mail is not None:
        from .smtp import SmtpCarrier  # noqa: PLC0415

        found["mail"] = SmtpCarrier(site.mail, site.server.domain)
    if site.sms is not None:
        from .sms_gateway import GatewayCarrier  # noqa: PLC0415

        found["sms"] = GatewayCarrier(site.sms)
    return found
