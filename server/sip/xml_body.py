"""XML as SIP bodies use it: read without document types, which could expand entities, and written as UTF-8."""

from __future__ import annotations

import re
from typing import Final, NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser, tostring

from .grammar import SipSyntaxError

LARGEST: Final = 8192

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _WithoutDoctype(TreeBuilder):
    def doctype(self, *_: object) -> NoReturn:
        raise SipSyntaxError("the body has a document type")


def read_xml(body: bytes) -> Element:
    """Return the root of a document; raises `SipSyntaxError` for one that is malformed, too large or has a DOCTYPE."""
    if len(body) > LARGEST:
        raise SipSyntaxError(f"the body is longer than {LARGEST} bytes", 413)
    parser = XMLParser(target=_WithoutDoctype())  # noqa: S314 - entities need a DOCTYPE, which ends the reading
    try:
        parser.feed(body)
        return parser.close()
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, SipSyntaxError):
            raise
        raise SipSyntaxError("the body is not well-formed XML") from error


def write_xml(root: Element) -> bytes:
    """Write a document."""
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def plain(text: str) -> str:
    """Take out what XML cannot hold: control characters."""
    return _NOT_XML.sub("", text)
