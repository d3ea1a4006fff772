"""A receiver verifies what it gets as the README shows it."""

from __future__ import annotations

import hmac
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.clock import Clock
from ringfence.server.hooks.delivery import Delivery, post, signature

from .hooked import SECRET, event, webhook

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPENSSL = "d9527cbf35d71b16b697a26fcf7433ee5bc8aa068ae6049d775c789c888cc9cd"
README = Path(__file__).parents[3] / "README.md"


def clock(began: datetime = NOON, now: float = 0.0) -> Clock:
    clock = Clock(lambda: 0.0, began)
    clock.now = lambda: now
    return clock


def test_the_body_is_the_event_with_its_place_in_the_stream_and_its_time() -> None:
    request = post(webhook(), Delivery("w-1", event(7)), clock())
    assert json.loads(request.body) == {
        "event": "limit.reached",
        "seq": 7,
        "at": "2026-03-01T12:00:07.000000+00:00",
        "data": {"pool": "fax", "limit": 7},
    }
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Ringfence-Delivery"] == "w-1"


def test_a_later_try_has_the_same_body_and_id_and_a_timestamp_of_its_own() -> None:
    first, again = (post(webhook(), Delivery("w-1", event(7)), clock(now=now)) for now in (10.0, 15.2))
    assert (first.body, first.headers["X-Ringfence-Delivery"]) == (
        again.body,
        again.headers["X-Ringfence-Delivery"],
    )
    times = [int(one.headers["X-Ringfence-Timestamp"]) for one in (first, again)]
    assert times == [int(NOON.timestamp()) + 10, int(NOON.timestamp()) + 15]
    assert first.headers["X-Ringfence-Signature"] != again.headers["X-Ringfence-Signature"]


def test_the_signature_is_that_of_rfc_2104_with_sha_256() -> None:
    """Reckoned with `printf '1772366400.{}' | openssl dgst -sha256 -hmac a-long-secret`."""
    assert signature(SECRET, "1772366400", b"{}") == OPENSSL


@pytest.fixture(scope="module")
def is_genuine() -> Callable[..., bool]:
    (code,) = re.findall(r"```python\n(def is_genuine.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"hmac": hmac, "time": time}
    exec(code, names)  # noqa: S102 - our own README
    genuine: Callable[..., bool] = names["is_genuine"]
    return genuine


@pytest.mark.checkout
@given(st.text(min_size=8))
def test_the_receiver_of_the_readme_believes_what_was_signed(
    is_genuine: Callable[..., bool], secret: str
) -> None:
    now = datetime.now(UTC)
    request = post(webhook(secret=secret), Delivery("w-1", event(1)), clock(now))
    assert is_genuine(request.headers, request.body, secret)


@pytest.mark.checkout
def test_the_receiver_of_the_readme_refuses_what_is_changed_old_or_signed_by_another(
    is_genuine: Callable[..., bool],
) -> None:
    request = post(webhook(), Delivery("w-1", event(1)), clock(datetime.now(UTC)))
    assert is_genuine(request.headers, request.body, SECRET)
    assert not is_genuine(request.headers, request.body + b" ", SECRET)
    assert not is_genuine(request.headers, request.body, "another-secret")
    later = dict(request.headers)
    later["X-Ringfence-Timestamp"] = str(int(later["X-Ringfence-Timestamp"]) + 1)
    assert not is_genuine(later, request.body, SECRET)
    old = post(webhook(), Delivery("w-1", event(1)), clock())
    assert not is_genuine(old.headers, old.body, SECRET)
