"""Who is told of a new message, by mail or SMS, and in which words.

A mail goes to who has an address and has not switched it off; an SMS to who has given a number, and needs the function
`voicemail_sms`, for which an Office licence is required (L-36).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from ...licensing.refusal import Refusal
from ..declaration import STRICT, Declaration
from .settings import VOICEMAIL
from .wording import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..gate import Gate
    from .wording import NewMessage

VOICEMAIL_SMS: Final = "voicemail_sms"
_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_NUMBER: Final = re.compile(r"\+?[0-9]{3,20}")


@dataclass(frozen=True, slots=True)
class MailNotification:
    """A mail for each new message: `to` an address, by default the user's `email`, with the sound attached or not."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = STRICT
    on: bool = True
    to: str | None = None
    sound: bool = True

    def __post_init__(self) -> None:
        if self.to is not None and not _ADDRESS.fullmatch(self.to):
            raise ValueError(f'"{self.to}" is no e-mail address')


@dataclass(frozen=True, slots=True)
class SmsNotification:
    """An SMS for each new message, to a number."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = STRICT
    to: str
    on: bool = True

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.to):
            raise ValueError(f'"{self.to}" is no number for an SMS')


MAIL: Final[Declaration[MailNotification]] = Declaration(
    VOICEMAIL, "mail", MailNotification, 'e.g. { on = true, to = "anna@firma.example", sound = false }'
)
SMS: Final[Declaration[SmsNotification]] = Declaration(
    VOICEMAIL_SMS, "sms", SmsNotification, 'e.g. { to = "+491701234567" }'
)
PERSONAL: Final = (MAIL, SMS)


@dataclass(frozen=True, slots=True)
class MailNotice:
    """A mail to be written; with `sound` the message goes along."""

    to: str
    subject: str
    text: str
    sound: bool


@dataclass(frozen=True, slots=True)
class SmsNotice:
    """An SMS to be written."""

    to: str
    text: str


def mail_notice(
    message: NewMessage, language: str, email: str | None, chosen: MailNotification | None
) -> MailNotice | None:
    """Write the mail of a new message; None where nobody wants one."""
    wanted = chosen or MailNotification()
    to = wanted.to or email
    if to is None or not wanted.on:
        return None
    words = Words(language)
    return MailNotice(to, words.subject(message), words.mail(message), wanted.sound)


def sms_notice(
    user: str, message: NewMessage, language: str, gate: Gate, chosen: SmsNotification | None
) -> SmsNotice | Refusal | None:
    """Write the SMS of a new message; None where nobody wants one, and a refusal where the user may not have it."""
    if chosen is None or not chosen.on:
        return None
    answer = gate.may(user, VOICEMAIL_SMS)
    return answer if isinstance(answer, Refusal) else SmsNotice(chosen.to, Words(language).sms(message))
