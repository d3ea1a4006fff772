"""Documents of the event package `dialog` (RFC 4235 section 4): the calls of one account, always in full.

Call-ID and tags are not those of the dialog, since whoever knows these could speak inside it: a call that rings has the
name by which it is picked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.etree.ElementTree import Element, SubElement

from .xml_body import plain, write_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .headers import NameAddr

NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"
DialogState = Literal["trying", "early", "confirmed", "terminated"]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One call of an account; `initiator` tells that the account called, `held` that it put the far end on hold.

    `pickup` is the Call-ID that an INVITE with Replaces names to pick it up (RFC 3891), of whatever tags.
    """

    id: str
    state: DialogState
    initiator: bool
    remote: NameAddr
    held: bool = False
    pickup: str | None = None


def write_dialog_info(entity: str, dialogues: Sequence[Dialogue], version: int) -> bytes:
    """Write the calls of `entity`; `version` grows by one with each document of a subscription."""
    root = Element("dialog-info", xmlns=NAMESPACE, version=str(version), state="full", entity=entity)
    for one in dialogues:
        direction = "initiator" if one.initiator else "recipient"
        dialog = SubElement(root, "dialog", id=one.id, direction=direction)
        if one.pickup is not None:
            dialog.attrib |= {"call-id": one.pickup, "local-tag": one.id, "remote-tag": "early"}
        SubElement(dialog, "state").text = one.state
        local = SubElement(dialog, "local")
        SubElement(local, "identity").text = entity
        target = SubElement(local, "target", uri=entity)
        if one.held:
            SubElement(target, "param", pname="+sip.rendering", pvalue="no")
        remote = SubElement(dialog, "remote")
        identity = SubElement(remote, "identity")
        identity.text = str(one.remote.uri)
        if name := plain(one.remote.display_name):
            identity.set("display", name)
        SubElement(remote, "target", uri=str(one.remote.uri))
    return write_xml(root)
