"""Mails by SMTP (RFC 5321), by STARTTLS or TLS and with a login where the site says so; aiosmtplib is imported late.

A refusal by 5xx of the recipient or the content is for good; all else may be better at another time.
"""

from __future__ import annotations

import asyncio
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from ..site.site import CONTROL
from .carrier import NotCarriedError

if TYPE_CHECKING:
    from ..site.carriers import MailSettings
    from ..store.outbox import Sent

PATIENCE_S = 20.0


class SmtpCarrier:
    """Gives mails to one server; `domain` is the site's, for the sender and the ids of mails."""

    def __init__(self, settings: MailSettings, domain: str) -> None:
        self._settings = settings
        self._domain = domain
        self._trust: ssl.SSLContext | None = None

    async def carry(self, sent: Sent) -> None:
        """See `Carrier.carry`."""
        from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException, send  # noqa: PLC0415

        settings = self._settings
        try:
            message, trust = await asyncio.to_thread(self._prepared, sent)
            await send(
                message,
                sender=self._sender,
                recipients=[sent.to],
                hostname=settings.host,
                port=settings.port,
                username=settings.username,
                password=settings.password,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                tls_context=trust,
                timeout=PATIENCE_S,
            )
        except SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise NotCarriedError(_told(first.code, first.message), for_good=_is_final(first.code)) from None
        except SMTPResponseException as error:
            is_final = _is_final(error.code) and type(error).__name__ == "SMTPDataError"
            raise NotCarriedError(_told(error.code, error.message), for_good=is_final) from None
        except (SMTPException, OSError, ValueError) as error:
            raise NotCarriedError(_one_line(str(error)) or type(error).__name__) from error

    async def close(self) -> None:
        """Each mail has a connection of its own."""

    @property
    def _sender(self) -> str:
        return self._settings.sender or f"ringfence@{self._domain}"

    def written(self, sent: Sent) -> EmailMessage:
        """A parcel as a mail (RFC 5322); its Message-ID is the same at every try."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, sent.to
        mail["Subject"] = _one_line(sent.subject)
        mail["Date"] = format_datetime(sent.created_at)
        mail["Message-ID"] = f"<{sent.id}.{sent.created_at.timestamp():.0f}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice is wanted
        mail.set_content(sent.text)
        if sent.sound is not None and sent.sound.is_file():
            mail.add_attachment(
                sent.sound.read_bytes(), maintype="audio", subtype="wav", filename="message.wav"
            )
        return mail

    def _prepared(self, sent: Sent) -> tuple[bytes, ssl.SSLContext | None]:
        """What takes its time, done in a thread: a mail with a long message, and the system's certificates."""
        settings = self._settings
        if self._trust is None and settings.security != "none":
            try:
                self._trust = ssl.create_default_context(cafile=settings.ca_file)
            except OSError as error:
                raise NotCarriedError(f"the ca_file {settings.ca_file} cannot be used ({error})") from None
        return self.written(sent).as_bytes(policy=SMTP), self._trust


def _is_final(code: int) -> bool:
    return 500 <= code < 600


def _told(code: int, message: str) -> str:
    return f"answered {code} {_one_line(message)}"


def _one_line(text: str) -> str:
    return CONTROL.sub(" ", text).strip()
