"""The arguments and options that several commands have; whether a file can be read is told by whoever reads it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """In which language it is told."""

    ENGLISH = "en"
    GERMAN = "de"


SiteFile = Annotated[
    Path | None, typer.Argument(metavar="SITE.toml", readable=False, help="The site file; or give --data.")
]
StoreOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Read the store in DIR, not a file.")
]
Store = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="The directory that was given to serve --data.")
]
Packages = Annotated[
    list[Path] | None,
    typer.Option("--licence", metavar="FILE", readable=False, help="A licence package that counts as well."),
]
LanguageOption = Annotated[Language, typer.Option(help="English or German.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, and tell what would change.")]
HOST, SIP_PORT, SIPS_PORT, HTTP_PORT, RTP_PORTS = "127.0.0.1", 5060, 5061, 8080, "20000-29999"
"""Where a server listens if nobody says otherwise."""


def port_option(text: str) -> typer.models.OptionInfo:
    """An option that is a port."""
    option: typer.models.OptionInfo = typer.Option(metavar="PORT", help=text)
    return option


Host = Annotated[str, typer.Option(help="The address to listen at, IPv4 or IPv6.")]
SipPort = Annotated[int, port_option("SIP over UDP and TCP; 0 is any free port, here and below.")]
SipsPort = Annotated[int, port_option("SIP over TLS.")]
HttpPort = Annotated[int, port_option("HTTP, and SIP over WebSocket at /sip.")]
TlsCertificate = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert", metavar="FILE", readable=False, help="The certificate for TLS; without one, an own one."
    ),
]
TlsKey = Annotated[
    Path | None, typer.Option("--tls-key", metavar="FILE", readable=False, help="The key of --tls-cert.")
]
RtpPorts = Annotated[str, typer.Option(metavar="FIRST-LAST", help="The ports for RTP.")]
