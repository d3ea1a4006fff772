"""Presence documents (PIDF, RFC 3863; activities of RPID, RFC 4480): what of them is understood, and how ours read.

A published document is read into a `Presentity` and written anew, so that nobody's markup reaches anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement

from .grammar import SipSyntaxError
from .xml_body import read_xml, write_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_TYPE: Final = "application/pidf+xml"
LONGEST_NOTE: Final = 200
ON_THE_PHONE: Final = "on-the-phone"
ACTIVITIES: Final = frozenset({
    "appointment", "away", "breakfast", "busy", "dinner", "holiday", "in-transit", "looking-for-work", "lunch", "meal",
    "meeting", ON_THE_PHONE, "performance", "permanent-absence", "playing", "presentation", "shopping", "sleeping",
    "spectator", "steering", "travel", "tv", "vacation", "working", "worship",
})  # fmt: skip
"""The activities of RPID that are passed on; others are dropped."""

_PIDF: Final = "urn:ietf:params:xml:ns:pidf"
_DM: Final = "urn:ietf:params:xml:ns:pidf:data-model"
_RPID: Final = "urn:ietf:params:xml:ns:pidf:rpid"


@dataclass(frozen=True, slots=True)
class Presentity:
    """What somebody says of himself: open to be reached or not (None: nothing said), what he does, and his words."""

    is_open: bool | None = None
    activities: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach a person, by its URI."""

    id: str
    uri: str
    is_open: bool


def read_pidf(body: bytes) -> Presentity:
    """Read a published document; raises `SipSyntaxError` when it is none."""
    root = read_xml(body)
    if root.tag != f"{{{_PIDF}}}presence" or not root.get("entity"):
        raise SipSyntaxError("the body is no presence document")
    basics: list[bool] = []
    for one in root.findall(f"{{{_PIDF}}}tuple"):
        basic = (one.findtext(f"{{{_PIDF}}}status/{{{_PIDF}}}basic") or "").strip()
        if basic not in {"", "open", "closed"}:
            raise SipSyntaxError("the basic status is neither open nor closed")
        basics += [basic == "open"] if basic else []
    names = [
        one.tag.removeprefix(f"{{{_RPID}}}")
        for activities in root.iter(f"{{{_RPID}}}activities")
        for one in activities
    ]
    notes = [*root.iter(f"{{{_PIDF}}}note"), *root.iter(f"{{{_DM}}}note"), *root.iter(f"{{{_RPID}}}note")]
    words = (" ".join((note.text or "").split()) for note in notes)
    return Presentity(
        any(basics) if basics else None,
        tuple(dict.fromkeys(name for name in names if name in ACTIVITIES)),
        next((text[:LONGEST_NOTE] for text in words if text), ""),
    )


def write_pidf(entity: str, contacts: Sequence[Contact], activities: Sequence[str], note: str) -> bytes:
    """Write how a person can be reached, what he does, and his words."""
    root = Element("presence", {"xmlns": _PIDF, "xmlns:dm": _DM, "xmlns:rpid": _RPID, "entity": entity})
    for contact in contacts:
        one = SubElement(root, "tuple", id=contact.id)
        SubElement(SubElement(one, "status"), "basic").text = "open" if contact.is_open else "closed"
        SubElement(one, "contact").text = contact.uri
    if note:
        SubElement(root, "note").text = note
    if activities:
        found = SubElement(SubElement(root, "dm:person", id="person"), "rpid:activities")
        for name in activities:
            SubElement(found, f"rpid:{name}")
    return write_xml(root)
