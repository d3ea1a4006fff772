"""`[mail]` and `[sms]`: who carries mails and SMS out of the house; without them they stay in the outbox."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from .problem import Problem
from .webhooks import http_host, is_loopback

if TYPE_CHECKING:
    from .site import Site

_STRICT: Mapping[str, object] = {"extra": "forbid", "strict": True}
_HEADER = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`[mail]`: an SMTP server, for which without `allow_remote` this machine alone will do.

    `sender` is the address that mails come from, `ca_file` whom a certificate has to be signed by where the system does
    not know him.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str | None = None
    ca_file: str | None = None
    allow_remote: bool = False


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """`[sms]`: an HTTP gateway. `{to}` and `{text}` in `url`, and in the values of `json`, stand for number and text.

    With `json` it is asked by POST, else by GET.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    url: str
    json: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_remote: bool = False


def carrier_problems(site: "Site") -> Iterator[Problem]:
    """What cannot carry anything."""
    if site.mail is not None:
        yield from _mail(site.mail)
    if site.sms is not None:
        yield from _sms(site.sms)


def _mail(mail: MailSettings) -> Iterator[Problem]:
    if not mail.host or set(mail.host) & set(" /@"):
        what = f'"{mail.host}" is no name of a mail server'
        yield Problem(("mail", "host"), what, 'write e.g. "smtp.firma.example"')
    elif not mail.allow_remote and not is_loopback(mail.host):
        what = f"the mail server is {mail.host}, which is another machine"
        yield Problem(("mail", "host"), what, "write allow_remote = true there if mails may leave this one")
    if not 1 <= mail.port <= 65_535:
        yield Problem(("mail", "port"), f"{mail.port} is no port", "write 1 to 65535")
    if (mail.username is None) != (mail.password is None):
        key, other = ("username", "password") if mail.password is None else ("password", "username")
        yield Problem(("mail", key), f"[mail] has a {key} and no {other}", "give both or neither")
    if mail.username is not None and mail.security == "none" and not is_loopback(mail.host):
        what = "the password for the mail server would go there unencrypted"
        yield Problem(("mail", "security"), what, 'write security = "starttls" or "tls"')
    if mail.sender is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", mail.sender):
        yield Problem(("mail", "sender"), f'"{mail.sender}" is no e-mail address', "write name@domain")


def _sms(sms: SmsSettings) -> Iterator[Problem]:
    host = http_host(sms.url)
    if host is None or "{" in host:
        what = f'the url "{sms.url}" of [sms] is no HTTP address'
        remedy = 'write e.g. "http://127.0.0.1:9000/send?to={to}&text={text}"'
        yield Problem(("sms", "url"), what, remedy)
    elif not sms.allow_remote and not is_loopback(host):
        what = f"the SMS gateway is {host}, which is another machine"
        yield Problem(("sms", "url"), what, "write allow_remote = true there if SMS may leave this one")
    written = (sms.url, *sms.json.values())
    for one in ("{to}", "{text}"):
        if not any(one in part for part in written):
            what = f"{one} stands neither in the url nor in the json of [sms]"
            yield Problem(("sms", "url"), what, f"write {one} where the gateway wants it")
    for name in sms.headers:
        if not _HEADER.fullmatch(name):
            what = f'"{name}" is no name of a header'
            yield Problem(("sms", "headers", name), what, "use letters, digits and -")
