"""Against a real SMTP server on the loopback."""

from __future__ import annotations

import asyncio
import email
import email.policy
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from tests.tone_file import write_tone

from ringfence.fixtures.pbx import PbxUnderTest
from ringfence.server.app import Options
from ringfence.server.net.certificate import CERTIFICATE, OwnCertificate
from ringfence.server.outgoing.carrier import NotCarriedError
from ringfence.server.outgoing.events import DeliveryMade
from ringfence.server.outgoing.smtp import SmtpCarrier
from ringfence.server.site.carriers import MailSettings
from ringfence.server.site.site import Site

from .sent import mail

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import Envelope, Session


class MailServer:
    """Takes mails but those to `nobody`; `greylisted` tells everybody to come again."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.greylisted = self.dislikes = False

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, to: str, ___: list[str]) -> str:  # noqa: N802
        if to.startswith("nobody"):
            return "550 5.1.1 nobody here"
        if self.greylisted:
            return "451 come again"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.dislikes:
            return "554 no such things"
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.envelopes.append(envelope)
        return "250 taken"

    @asynccontextmanager
    async def serving(self, implicit: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(self, loop=loop, **options), "127.0.0.1", 0, ssl=implicit
        )
        async with server:
            yield server.sockets[0].getsockname()[1]


def settings(port: int, **more: Any) -> MailSettings:
    return MailSettings("127.0.0.1", port, **{"security": "none", **more})


def only(_: object, __: object, ___: object, mechanism: str, data: LoginPassword) -> AuthResult:
    is_right = (data.login, data.password) == (b"ringfence", b"s3cret")
    return AuthResult(success=is_right and mechanism in {"PLAIN", "LOGIN"}, handled=False)


async def test_a_mail_arrives_with_its_sound_as_it_is(tmp_path: Path) -> None:
    sound = tmp_path / "7.wav"
    sound.write_bytes(b"RIFF" + bytes(range(256)))
    server = MailServer()
    async with server.serving() as port:
        await SmtpCarrier(settings(port), "klein.example").carry(mail(sound=sound, subject="Gruß\r\nBcc: x"))
    (received,), (envelope,) = server.mails, server.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("ringfence@klein.example", ["anna@klein.example"])
    assert (received["From"], received["To"]) == ("ringfence@klein.example", "anna@klein.example")
    assert (received["Subject"], received["Bcc"]) == ("Gruß  Bcc: x", None)
    assert received["Message-ID"] == "<7.1772366400@klein.example>"
    text, attachment = received.iter_parts()
    assert text.get_content().splitlines() == ["Grüße."]
    assert (attachment.get_content_type(), attachment.get_filename()) == ("audio/wav", "message.wav")
    assert attachment.get_content() == sound.read_bytes()


async def test_the_sender_of_the_site_is_shown() -> None:
    server = MailServer()
    async with server.serving() as port:
        await SmtpCarrier(settings(port, sender="pbx@firma.example"), "klein.example").carry(mail())
    assert server.mails[0]["From"] == server.envelopes[0].mail_from == "pbx@firma.example"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_password_and_mail_go_encrypted(tmp_path: Path, security: str) -> None:
    context = await OwnCertificate(tmp_path, ("127.0.0.1",))()
    server = MailServer()
    login = {"username": "ringfence", "password": "s3cret", "ca_file": str(tmp_path / CERTIFICATE)}
    options: dict[str, Any] = {"authenticator": only}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    else:  # to aiosmtpd a connection that begins with TLS is not one that it has made secure
        options |= {"auth_require_tls": False}
    async with server.serving(context if security == "tls" else None, **options) as port:
        await SmtpCarrier(settings(port, security=security, **login), "klein.example").carry(mail())
        wrong = settings(port, security=security, **{**login, "password": "guess"})
        with pytest.raises(NotCarriedError, match="535") as failed:
            await SmtpCarrier(wrong, "klein.example").carry(mail())
        assert not failed.value.for_good
    assert len(server.mails) == 1


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    context = await OwnCertificate(tmp_path, ("127.0.0.1",))()
    server = MailServer()
    async with server.serving(tls_context=context) as port:
        with pytest.raises(NotCarriedError, match=r"(?i)certificate"):
            await SmtpCarrier(settings(port, security="starttls"), "klein.example").carry(mail())
    assert server.mails == []


async def test_a_file_of_certificates_that_is_not_there_is_named() -> None:
    wrong = settings(25, security="tls", ca_file="/nowhere/ca.pem")
    with pytest.raises(NotCarriedError, match=r"the ca_file /nowhere/ca\.pem cannot be used"):
        await SmtpCarrier(wrong, "klein.example").carry(mail())


async def test_without_encryption_where_it_is_asked_for_nothing_is_sent() -> None:
    server = MailServer()
    async with server.serving() as port:
        with pytest.raises(NotCarriedError, match="STARTTLS"):
            await SmtpCarrier(settings(port, security="starttls"), "klein.example").carry(mail())
    assert server.mails == []


async def test_what_is_refused_for_good_and_what_may_go_later() -> None:
    server = MailServer()
    async with server.serving() as port:
        carrier = SmtpCarrier(settings(port), "klein.example")
        with pytest.raises(NotCarriedError, match=r"answered 550 5\.1\.1 nobody here") as unknown:
            await carrier.carry(mail("nobody@klein.example"))
        server.greylisted = True
        with pytest.raises(NotCarriedError, match="answered 451 come again") as later:
            await carrier.carry(mail())
        server.greylisted, server.dislikes = False, True
        with pytest.raises(NotCarriedError, match="answered 554 no such things") as disliked:
            await carrier.carry(mail())
    assert (unknown.value.for_good, later.value.for_good, disliked.value.for_good) == (True, False, True)


async def test_a_server_that_is_not_there_is_one_sentence() -> None:
    async with MailServer().serving() as port:
        pass
    with pytest.raises(NotCarriedError, match=str(port)) as failed:
        await SmtpCarrier(settings(port), "klein.example").carry(mail())
    assert not failed.value.for_good


async def test_a_whole_server_sends_what_is_left_in_a_box_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    """The PIN of dora, who has no address, stays; the mail of anna's message goes with its sound."""
    server = MailServer()
    async with server.serving() as port:
        mail_server = f'\n[mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        site = Site.parse(Site.sample("small").text + mail_server)
        pbx = await PbxUnderTest.start(site, Options(in_process=True, http_port=None))
        try:
            write_tone(tmp_path / "left.wav", 500, 1)
            await pbx.server.boxes.add(
                user="anna", caller="101", called="100", duration_s=1.0, wav_path=tmp_path / "left.wav"
            )
            await pbx.wait_for(DeliveryMade, to="anna@klein.example")
            assert [one.user for one in await pbx.outbox.list()] == ["dora"]
        finally:
            await pbx.stop()
    (received,) = server.mails
    assert received["Subject"] == "Voicemail from Ben Krause (101)"
    _, attachment = received.iter_parts()
    assert attachment.get_content()[:4] == b"RIFF"
