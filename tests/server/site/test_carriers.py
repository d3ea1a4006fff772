from __future__ import annotations

import pytest

from ringfence.server.site.carriers import MailSettings, SmsSettings
from ringfence.server.site.site import Site, SiteError

MAIL = '[mail]\nhost = "127.0.0.1"\n'
SMS = '[sms]\nurl = "http://127.0.0.1:9000/send?to={to}&text={text}"\n'


def test_without_carriers_everything_stays_in_the_house() -> None:
    site = Site.parse("")
    assert (site.mail, site.sms) == (None, None)


def test_a_mail_server_and_a_gateway_are_read_and_no_secret_shows() -> None:
    site = Site.parse(
        '[mail]\nhost = "smtp.firma.example"\nport = 465\nsecurity = "tls"\nusername = "pbx"\npassword = "s3cret"\n'
        'sender = "pbx@firma.example"\nca_file = "ca.pem"\nallow_remote = true\n'
        '[sms]\nurl = "https://sms.example/v1"\nallow_remote = true\n'
        'json = { to = "{to}", body = "{text}" }\nheaders = { X-Key = "s3cret" }\n'
    )
    assert site.mail == MailSettings(
        "smtp.firma.example", 465, "tls", "pbx", "s3cret", "pbx@firma.example", "ca.pem", allow_remote=True
    )
    assert site.sms == SmsSettings(
        "https://sms.example/v1", {"to": "{to}", "body": "{text}"}, {"X-Key": "s3cret"}, allow_remote=True
    )
    assert "s3cret" not in repr((site.mail, site.sms))


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ('[mail]\nhost = "smtp.firma.example"', 2, "another machine; write allow_remote = true there"),
        ('[mail]\nhost = "a b"', 2, '"a b" is no name of a mail server'),
        ("[mail]\nport = 25", 1, 'the key "host" is missing in [mail]; add it'),
        (MAIL + "port = 0", 3, "0 is no port; write 1 to 65535"),
        (MAIL + 'username = "a"', 3, "[mail] has a username and no password; give both or neither"),
        (MAIL + 'sender = "a"', 3, '"a" is no e-mail address; write name@domain'),
        (MAIL + 'security = "ssl"', 3, "the key \"security\" has the unknown value 'ssl'"),
        (MAIL + "hots = 1", 3, 'the key "hots" is not known in [mail]; did you mean "host"?'),
        (
            '[mail]\nhost = "m.example"\nallow_remote = true\nsecurity = "none"\nusername = "a"\npassword = "b"',
            4,
            'the password for the mail server would go there unencrypted; write security = "starttls" or "tls"',
        ),
        ('[sms]\nurl = "ftp://x/{to}{text}"', 2, 'the url "ftp://x/{to}{text}" of [sms] is no HTTP address'),
        ('[sms]\nurl = "http://{to}/{text}"', 2, "of [sms] is no HTTP address"),
        (
            '[sms]\nurl = "http://sms.example/{to}{text}"',
            2,
            "the SMS gateway is sms.example, which is another",
        ),
        ('[sms]\nurl = "http://127.0.0.1/{to}"', 2, "{text} stands neither in the url nor in the json"),
        (SMS + 'headers = { "a b" = "c" }', 3, '"a b" is no name of a header; use letters, digits and -'),
    ],
)
def test_what_can_carry_nothing_is_one_sentence(text: str, line: int, sentence: str) -> None:
    with pytest.raises(SiteError) as caught:
        Site.parse(text, "firma.toml")
    assert caught.value.line == line
    assert sentence in str(caught.value)
