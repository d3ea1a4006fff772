"""Dialogs (RFC 3261 section 12): what two ends of a call know of each other.

Made by a leg when a response with a To tag is sent or received; knows how to build the requests inside it and which
ones come out of order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .headers import NameAddr
from .message import Request, Response
from .uri import SipUri

if TYPE_CHECKING:
    from .flow import Peer


class DialogId(NamedTuple):
    """The key of a dialog, as its owner sees it."""

    call_id: str
    local_tag: str
    remote_tag: str


class Dialog:
    """One dialog.

    `target` is the far end's Contact URI, `routes` the route set, `fallback` the peer from whom its messages come.
    """

    __slots__ = ("fallback", "id", "local", "local_cseq", "remote", "remote_cseq", "routes", "target")

    def __init__(
        self,
        id_: DialogId,
        *,
        local: str,
        remote: str,
        target: str,
        routes: list[str],
        local_cseq: int,
        remote_cseq: int | None,
        fallback: Peer,
    ) -> None:
        self.id = id_
        self.local = local
        self.remote = remote
        self.target = target
        self.routes = routes
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.fallback = fallback

    @classmethod
    def of_server(cls, request: Request, local_tag: str, source: Peer) -> Dialog:
        """Make the called side's dialog (RFC 3261 12.1.1)."""
        contacts = request.contacts
        return cls(
            DialogId(request.call_id, local_tag, request.from_.tag or ""),
            local=str(request.to.with_tag(local_tag)),
            remote=request.get("from") or "",
            target=str(contacts[0].uri) if contacts else str(request.from_.uri),
            routes=request.values("record-route"),
            local_cseq=0,
            remote_cseq=request.cseq.number,
            fallback=source,
        )

    @classmethod
    def of_client(cls, request: Request, response: Response, source: Peer) -> Dialog:
        """Make the calling side's dialog from the response that opened it (RFC 3261 12.1.2)."""
        contacts = response.contacts
        return cls(
            DialogId(request.call_id, request.from_.tag or "", response.to.tag or ""),
            local=request.get("from") or "",
            remote=response.get("to") or "",
            target=str(contacts[0].uri) if contacts else request.uri,
            routes=response.values("record-route")[::-1],
            local_cseq=request.cseq.number,
            remote_cseq=None,
            fallback=source,
        )

    def request(self, method: str, *, cseq: int | None = None) -> Request:
        """Build a request inside the dialog, without its Via (RFC 3261 12.2.1.1); ACK and CANCEL give their `cseq`."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        target, routes = self.target, self.routes
        if routes and not _is_loose(routes[0]):
            target, routes = route_uri(routes[0]), [*routes[1:], f"<{target}>"]
        headers = [("Route", route) for route in routes]
        headers += [
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.id.call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        return Request(method, target, headers)

    @property
    def next_hop(self) -> str:
        """The URI to which requests go: the first route, or the target."""
        return route_uri(self.routes[0]) if self.routes else self.target

    def accepts(self, request: Request) -> bool:
        """Whether the far end's request is in order (RFC 3261 12.2.2); a higher number is remembered."""
        number = request.cseq.number
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True


def route_uri(route: str) -> str:
    """The URI of a Route, Record-Route or Path value."""
    return str(NameAddr.parse(route).uri)


def _is_loose(route: str) -> bool:
    """Whether a router follows RFC 3261; an older one wants to be named by the Request-URI (12.2.1.1)."""
    uri = NameAddr.parse(route).uri
    return not isinstance(uri, SipUri) or uri.has_param("lr")


def dialog_id(request: Request) -> DialogId:
    """The key that a request inside a dialog asks for, as the dialog's owner sees it."""
    return DialogId(request.call_id, request.to.tag or "", request.from_.tag or "")
