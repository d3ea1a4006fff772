from __future__ import annotations

import pytest

from ringfence.server.event_form import TOLD_OUTSIDE
from ringfence.server.site.site import Site, SiteError, Webhook

HOOK = """
[[webhook]]
name = "ci"
url = "http://127.0.0.1:9000/events"
secret = "a-long-secret"
events = ["licence.*", "limit.reached"]
"""


def test_every_key_of_a_webhook_is_read_and_the_secret_does_not_show() -> None:
    (hook,) = Site.parse(HOOK + "allow_remote = true\n").webhooks
    assert hook == Webhook(
        "ci", "http://127.0.0.1:9000/events", "a-long-secret", ("licence.*", "limit.reached"), True
    )
    assert "a-long-secret" not in repr(hook)


def test_a_webhook_without_events_is_told_all() -> None:
    (hook,) = Site.parse(HOOK.replace('events = ["licence.*", "limit.reached"]', "")).webhooks
    assert hook.events == ("*",)
    assert not hook.allow_remote


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "https://127.9.9.9:1/a?b=c", "http://[::1]:9000/", "http://localhost:9000/"]
)
def test_this_machine_needs_no_permission(url: str) -> None:
    assert Site.parse(HOOK.replace("http://127.0.0.1:9000/events", url)).webhooks[0].url == url


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://192.0.2.7:9000/", "192.0.2.7"),
        ("https://hooks.example/", "hooks.example"),
        ("http://127.0.0.1@hooks.example/", "hooks.example"),
        ("http://localhost.hooks.example/", "localhost.hooks.example"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("http://0.0.0.0/", "0.0.0.0"),
    ],
)
def test_another_machine_is_told_nothing_unless_it_is_allowed(url: str, host: str) -> None:
    text = HOOK.replace("http://127.0.0.1:9000/events", url)
    with pytest.raises(SiteError, match="another machine; write allow_remote = true") as caught:
        Site.parse(text, "firma.toml")
    assert caught.value.line == 4
    assert f'the webhook "ci" leads to {host}, ' in str(caught.value)
    assert Site.parse(text + "allow_remote = true\n").webhooks[0].url == url


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        (
            "http://127.0.0.1:9000/events",
            "ftp://127.0.0.1/",
            'the url "ftp://127.0.0.1/" of the webhook "ci" is no HTTP address; write e.g.',
        ),
        ("http://127.0.0.1:9000/events", "http://127.0.0.1:99999/", "is no HTTP address; write e.g."),
        ("http://127.0.0.1:9000/events", "http:///events", "is no HTTP address; write e.g."),
        ("http://127.0.0.1:9000/events", "http://127.0.0.1 /", "is no HTTP address; write e.g."),
        (
            "a-long-secret",
            "short",
            'the secret of the webhook "ci" has fewer than 8 characters; write a long',
        ),
        (
            "limit.reached",
            "limit.reachd",
            'no event is called "limit.reachd", as the webhook "ci" wants; did you mean "limit.reached"?',
        ),
        ("licence.*", "webhook.*", 'no event is called "webhook.*", as the webhook "ci" wants; '),
        ("licence.*", "digit.pressed", 'no event is called "digit.pressed", as the webhook "ci" wants; '),
        ("url =", "uri =", 'the key "uri" is not known in [[webhook]]; did you mean "url"?'),
        ('name = "ci"', "", 'the key "name" is missing in [[webhook]]; add it'),
    ],
)
def test_a_webhook_that_cannot_work_is_one_sentence(good: str, bad: str, sentence: str) -> None:
    broken = HOOK.replace(good, bad)
    assert broken != HOOK
    with pytest.raises(SiteError) as caught:
        Site.parse(broken, "firma.toml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_webhooks_need_two_names() -> None:
    with pytest.raises(SiteError, match='the webhook "ci" is there twice; rename or remove one of them'):
        Site.parse(HOOK + HOOK)


@pytest.mark.parametrize("event", sorted(TOLD_OUTSIDE))
def test_every_event_that_is_told_outside_can_be_asked_for_by_its_name(event: str) -> None:
    assert event in Site.parse(HOOK.replace("limit.reached", event)).webhooks[0].events


def test_the_webhook_that_the_sample_company_shows_works() -> None:
    text = Site.sample().text
    shown = text[text.index("# [[webhook]]") :].replace("# ", "")
    assert Site.parse(shown).webhooks[0].name == "ci"
