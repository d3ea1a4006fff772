"""What is written to the users of boxes, in German and English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "de": {
        "unknown": "einem unbekannten Anrufer",
        "time": "%d.%m.%Y um %H:%M",
        "subject": "Voicemail von {who}",
        "mail": "Guten Tag {name},\n\nam {time} kam eine Nachricht von {who}. Sie dauert {seconds} Sekunden.\n",
        "listen": "\nZum Abhören wählen Sie {listening}.\n",
        "sms": "Voicemail von {who}, {time}, {seconds} s.",
        "sms_listen": " Abhören: {listening}",
        "pin_subject": "Die PIN Ihrer Mailbox",
        "pin": "Guten Tag {name},\n\ndie PIN Ihrer Mailbox {extension} ist {pin}.\n",
        "pin_change": "Am Telefon können Sie sie ändern.\n",
    },
    "en": {
        "unknown": "an unknown caller",
        "time": "%Y-%m-%d at %H:%M",
        "subject": "Voicemail from {who}",
        "mail": "Hello {name},\n\na message came from {who} on {time}. It lasts {seconds} seconds.\n",
        "listen": "\nTo listen, dial {listening}.\n",
        "sms": "Voicemail from {who}, {time}, {seconds} s.",
        "sms_listen": " Listen: {listening}",
        "pin_subject": "The PIN of your voicemail box",
        "pin": "Hello {name},\n\nthe PIN of your voicemail box {extension} is {pin}.\n",
        "pin_change": "You can change it by telephone.\n",
    },
}


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message as its user `name` is told of it: who left it, in local time, and where it is heard.

    `caller_name` is the directory's for the number `caller`; None where it has none, or there is no number.
    """

    name: str
    caller: str | None
    caller_name: str | None
    at: datetime
    duration_s: float
    listening: str | None


class Words:
    """The texts in `language` (`de` or `en`)."""

    def __init__(self, language: str) -> None:
        self._texts = _TEXTS[language]

    def subject(self, message: NewMessage) -> str:
        """The subject of a mail."""
        return self._of_message("subject", message)

    def mail(self, message: NewMessage) -> str:
        """The text of a mail."""
        listen = self._of_message("listen", message) if message.listening else ""
        return self._of_message("mail", message) + listen

    def sms(self, message: NewMessage) -> str:
        """The text of an SMS."""
        listen = self._of_message("sms_listen", message) if message.listening else ""
        return self._of_message("sms", message) + listen

    def pin_subject(self) -> str:
        """The subject of the mail that tells a PIN."""
        return self._texts["pin_subject"]

    def pin(self, name: str, extension: str, pin: str, listening: str | None) -> str:
        """The mail that tells a PIN."""
        known = {"name": name, "extension": extension, "pin": pin, "listening": listening}
        listen = self._texts["listen"].format(**known) + self._texts["pin_change"] if listening else ""
        return self._texts["pin"].format(**known) + listen

    def _of_message(self, key: str, message: NewMessage) -> str:
        caller, name = message.caller, message.caller_name
        who = f"{name} ({caller})" if caller and name else name or caller or self._texts["unknown"]
        return self._texts[key].format(
            name=message.name,
            who=who,
            time=message.at.strftime(self._texts["time"]),
            seconds=round(message.duration_s),
            listening=message.listening,
        )
