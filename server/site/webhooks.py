"""What must hold for the webhooks of a site: where they lead, how they are signed, and what they are told."""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..event_form import TOLD_OUTSIDE
from .problem import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .problem import KeyPath
    from .site import Site, Webhook

SHORTEST_SECRET = 8


def webhook_problems(site: Site) -> Iterator[Problem]:
    """Everything that is wrong with the webhooks of `site`, in no particular order."""
    for index, webhook in enumerate(site.webhooks):
        path = ("webhook", index)
        yield from _url(path, webhook)
        if len(webhook.secret) < SHORTEST_SECRET:
            what = f'the secret of the webhook "{webhook.name}" has fewer than {SHORTEST_SECRET} characters'
            yield Problem((*path, "secret"), what, "write a long random one, and give it to the receiver")
        for position, pattern in enumerate(webhook.events):
            if not any(fnmatchcase(name, pattern) for name in TOLD_OUTSIDE):
                what = f'no event is called "{pattern}", as the webhook "{webhook.name}" wants'
                remedy = closest(pattern, sorted(TOLD_OUTSIDE), 'write e.g. "licence.*" or "limit.reached"')
                yield Problem((*path, "events", position), what, remedy)


def _url(path: KeyPath, webhook: Webhook) -> Iterator[Problem]:
    here, host = (*path, "url"), http_host(webhook.url)
    if host is None:
        what = f'the url "{webhook.url}" of the webhook "{webhook.name}" is no HTTP address'
        yield Problem(here, what, 'write e.g. "http://127.0.0.1:9000/events"')
    elif not webhook.allow_remote and not is_loopback(host):
        what = f'the webhook "{webhook.name}" leads to {host}, which is another machine'
        yield Problem(here, what, "write allow_remote = true there if events may leave this one")


def http_host(text: str) -> str | None:
    """The host of an HTTP address; None where it is none."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return None
    is_http = url.scheme in {"http", "https"} and text.isascii() and not set(text) & set(' \\<>"')
    return host if is_http else None


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
