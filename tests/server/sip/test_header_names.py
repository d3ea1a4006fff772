from __future__ import annotations

import pytest

from ringfence.server.sip.header_names import canonical_name


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("v", "Via"),
        ("V", "Via"),
        ("vIA", "Via"),
        ("CALL-ID", "Call-ID"),
        ("i", "Call-ID"),
        ("cseq", "CSeq"),
        ("www-authenticate", "WWW-Authenticate"),
        ("l", "Content-Length"),
        ("x-own-header", "X-Own-Header"),
    ],
)
def test_compact_and_odd_cases_fold_into_one_name(written: str, canonical: str) -> None:
    """RFC 3261 section 7.3.3."""
    assert canonical_name(written) == canonical
    assert canonical_name(canonical) == canonical
