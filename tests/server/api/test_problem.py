from __future__ import annotations

import json

import pytest

from ringfence.licensing.reasons import REASONS
from ringfence.licensing.refusal import Refusal
from ringfence.server.api.problem import ProblemError


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_status_from_the_one_table_or_409(reason: str) -> None:
    row = REASONS[reason]
    response = ProblemError(Refusal(reason), "d-1").response()
    body = json.loads(response.body) if isinstance(response.body, bytes) else {}
    assert response.status == body["status"] == (row.http_status or 409)
    assert response.content_type == "application/problem+json"
    assert (body["reason"], body["decision"]) == (reason, "d-1")
    assert body["title"]
    assert "{" not in body["title"] + body["detail"]
    assert response.headers.get("Retry-After") == (str(row.retry_after_s) if row.retry_after_s else None)


def test_the_title_is_the_same_for_every_case_and_the_detail_tells_of_this_one() -> None:
    one, other = (
        ProblemError(Refusal("user.not_registered", facts={"user": user})) for user in ("anna", "ben")
    )
    assert one.problem.title == other.problem.title == "No phone is registered"
    assert one.problem.detail.startswith("No phone of anna is registered.")
