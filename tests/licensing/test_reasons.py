"""The reason table, row by row."""

from __future__ import annotations

import pytest

from ringfence.licensing.catalogue import LICENCES
from ringfence.licensing.reasons import REASONS, reason_for
from ringfence.licensing.refusal import Refusal

Row = tuple[int | None, int | None, str, str, int | None]

GENERIC = "subscribedResourceAvailability/generic"
TRUNKS = "subscribedResourceAvailability/trunkLimitExceeded"
MONITORS = "subscribedResourceAvailability/objectMonitorLimitExceeded"
BUSY_RESOURCE = "systemResourceAvailability/resourceBusy"
RESOURCE = "systemResourceAvailability/generic"
PERFORMANCE = "performanceManagement/generic"

TABLE: dict[str, Row] = {
    "server.unlicensed": (403, 50, "SERVICE_NOT_RUNNING", GENERIC, 403),
    "license.office.under_licensed": (403, 50, "RESOURCEUNAVAIL", GENERIC, 403),
    "license.fax.blocked": (403, 50, "OPERATIONUNAVAIL", GENERIC, 403),
    "function.not_configured": (403, 21, "OPERATIONUNAVAIL", "operation/serviceNotSupported", 404),
    "ip_channel.exhausted": (503, 34, "CALLUNAVAIL CONGESTION", TRUNKS, 429),
    "auto_attendant.exhausted": (503, 34, "CALLUNAVAIL CONGESTION", TRUNKS, 429),
    "license.tapi_line.exhausted": (None, None, "RESOURCEUNAVAIL", MONITORS, 403),
    "analytics.members_unlicensed": (None, None, "", "", 403),
    "analytics.no_cti": (None, None, "", "", 403),
    "directory.sources.exhausted": (None, None, "", "", 409),
    "user.busy": (486, 17, "BUSY", "Failed/busy", None),
    "user.do_not_disturb": (486, 17, "DONOTDISTURB", "Failed/doNotDisturb", None),
    "forward.loop": (482, 25, "UNREACHABLE", "Failed/destNotObtainable", None),
    "call_back.nobody": (480, 31, "INVALCALLSTATE", "stateIncompatibility/invalidObjectState", 409),
    "user.no_answer": (480, 19, "NOANSWER", "", None),
    "user.not_registered": (480, 20, "CALLUNAVAIL", "Failed/destNotObtainable", 409),
    "number.unknown": (404, 1, "BADADDRESS", "operation/invalidDestination", 404),
    "trunk.none": (404, 3, "UNREACHABLE", "Failed/networkNotObtainable", 409),
    "trunk.failed": (503, 38, "UNREACHABLE", "Failed/networkOutOfOrder", 503),
    "trunk.forbidden": (403, 21, "BLOCKED", "Failed/unauthorizedBearerService", 403),
    "media.incompatible": (488, 65, "INCOMPATIBLE", "Failed/incompatibleDestination", None),
    "media.srtp.in_clear": (488, 65, "INCOMPATIBLE", "Failed/incompatibleDestination", None),
    "media.srtp.off": (488, 65, "INCOMPATIBLE", "Failed/incompatibleDestination", None),
    "media.srtp.not_installed": (488, 65, "INCOMPATIBLE", "Failed/incompatibleDestination", None),
    "media.srtp.unknown": (488, 65, "INCOMPATIBLE", "Failed/incompatibleDestination", None),
    "media.ports.exhausted": (503, 47, "CONGESTION", BUSY_RESOURCE, 503),
    "media.apart": (488, 41, "RESOURCEUNAVAIL TEMPFAILURE", RESOURCE, 409),
    "media.failed": (500, 41, "TEMPFAILURE", "systemResourceAvailability/resourceOutOfService", 503),
    "media.lost": (None, 41, "TEMPFAILURE", "ConnectionCleared/networkOutOfOrder", None),
    "rate.limited": (503, 42, "CONGESTION", PERFORMANCE, 429),
    "subscriptions.exhausted": (503, 47, "CONGESTION", BUSY_RESOURCE, 503),
    "server.overloaded": (503, 42, "CONGESTION", PERFORMANCE, 503),
    "server.stopping": (503, 41, "CONGESTION", PERFORMANCE, 503),
    "server.failed": (500, 41, "OPERATIONFAILED TEMPFAILURE", "operation/generic", 500),
    "store.failed": (500, 41, "RESOURCEUNAVAIL TEMPFAILURE", RESOURCE, 503),
    "store.full": (500, 41, "RESOURCEUNAVAIL TEMPFAILURE", RESOURCE, 507),
    "mailbox.full": (486, 17, "", "", 409),
    "pin.locked": (None, 21, "", "", 423),
    "forwarding_party.unknown": (404, 1, "BADADDRESS", "operation/invalidDestination", None),
    "forwarding_party.hidden": (403, 21, "REJECT", "Failed/destNotObtainable", None),
    "pull.nothing": (404, 1, "INVALCALLSTATE", "stateIncompatibility/invalidConnectionState", 409),
    "softphone_mobile.transport": (403, 21, "", "", None),
    "fax.engine_missing": (503, 47, "", "", 503),
    "package.signature": (None, None, "", "", 422),
    "package.expired": (None, None, "", "", 422),
    "package.not_yet_valid": (None, None, "", "", 422),
    "package.invalid": (None, None, "", "", 422),
    "sound.unreadable": (None, None, "", "", 415),
    "sound.too_large": (None, None, "", "", 413),
    "sound.too_long": (None, None, "", "", 422),
    "sound.empty": (None, None, "", "", 422),
    "speech.not_installed": (None, None, "", "", 501),
    "speech.failed": (None, None, "", "", 503),
    "call.rejected": (603, 21, "REJECT", "Failed/destNotObtainable", 409),
    "pickup.nothing_rings": (480, 31, "CALLUNAVAIL", "stateIncompatibility/noCallToAnswer", 409),
    "park.no_call": (480, 31, "INVALCALLSTATE", "stateIncompatibility/noHeldCall", 409),
    "park.full": (486, 17, "RESOURCEUNAVAIL BUSY", BUSY_RESOURCE, 409),
    "conference.full": (
        *(486, 17, "CONFERENCEFULL"),
        *("systemResourceAvailability/conferenceMemberLimitExceeded", 409),
    ),
    "conference.not_two_calls": (
        *(480, 31, "INVALCALLSTATE"),
        *("stateIncompatibility/invalidConnectionState", 409),
    ),
    "conference.other_user": (
        *(None, None, "INVALCALLHANDLE"),
        *("operation/invalidConnectionIdentifier", 409),
    ),
    "call.cancelled": (487, 16, "CANCELLED", "ConnectionCleared/callCancelled", None),
    "auth.required": (401, None, "", "security/generic", 401),
    "auth.forbidden": (403, 21, "", "security/generic", 403),
    "auth.banned": (403, 21, "", "security/generic", 403),
    "request.invalid": (400, None, "", "operation/generic", 422),
    "not_found": (404, 1, "", "operation/generic", 404),
}


@pytest.mark.parametrize("code", TABLE)
def test_a_code_says_the_same_at_every_door(code: str) -> None:
    row = reason_for(code)
    tapi = [one.name.partition("_")[2] for one in (row.tapi, row.tapi_disconnect) if one]
    csta = f"{row.csta.category}/{row.csta.value}" if row.csta else ""
    assert (row.sip_status, row.q850_cause, " ".join(tapi), csta, row.http_status) == TABLE[code]


def test_every_licence_but_server_has_its_two_rows() -> None:
    keys = set(LICENCES) - {"server"}
    rows = {f"license.{key}.{state}" for key in keys for state in ("under_licensed", "blocked")}
    assert set(REASONS) == rows | set(TABLE)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("license.office.under_licensed", -2147483573),
        ("license.office.blocked", -2147483575),
        ("ip_channel.exhausted", -2147483643),
        ("server.unlicensed", -2147483551),
        ("conference.full", 2147483655 - 2**32),
        ("conference.not_two_calls", 2147483676 - 2**32),
        ("conference.other_user", 2147483672 - 2**32),
    ],
)
def test_tapi_errors_are_the_signed_numbers_of_tapi_h(code: str, number: int) -> None:
    tapi = reason_for(code).tapi
    assert tapi is not None
    assert tapi.number == number


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("user.busy", 0x20),
        ("number.unknown", 0x80),
        ("trunk.none", 0x100),
        ("media.incompatible", 0x400),
        ("trunk.forbidden", 0x20000),
    ],
)
def test_disconnect_modes_are_the_numbers_of_tapi_h(code: str, number: int) -> None:
    mode = reason_for(code).tapi_disconnect
    assert mode is not None
    assert mode.number == number


def test_503_stands_for_what_passes_and_tells_when_to_retry() -> None:
    passing = {code for code, row in REASONS.items() if row.sip_status == 503}
    assert passing - {"fax.engine_missing"} == {code for code, row in REASONS.items() if row.retry_after_s}
    assert not any(code.startswith("license.") for code in passing)
    assert REASONS["rate.limited"].retry_after_s == 1


def test_no_row_uses_402() -> None:
    assert not any(402 in (row.sip_status, row.http_status) for row in REASONS.values())


@pytest.mark.parametrize(
    ("code", "function", "sip_and_cause"),
    [
        ("function.not_configured", "voicemail", (404, 1)),
        ("function.not_configured", "fax", (404, 1)),
        ("function.not_configured", "voicemail_client", (403, 21)),
        ("media.incompatible", "fax", (488, 88)),
        ("media.incompatible", "voicemail", (488, 65)),
        ("user.busy", "fax", (486, 17)),
    ],
)
def test_a_row_may_answer_differently_for_a_function(
    code: str, function: str, sip_and_cause: tuple[int, int]
) -> None:
    row = reason_for(Refusal(code, facts={"function": function}))
    assert (row.code, row.sip_status, row.q850_cause) == (code, *sip_and_cause)


def test_the_reason_header_is_rfc_3326() -> None:
    assert reason_for("ip_channel.exhausted").reason_header == 'Q.850;cause=34;text="no IP channel"'
    assert reason_for("package.expired").reason_header is None


@pytest.mark.parametrize("code", REASONS)
def test_every_row_has_a_sentence_and_a_remedy_in_two_languages_with_or_without_facts(code: str) -> None:
    row = REASONS[code]
    facts = {
        key: key.upper()
        for key in ["user", "function", "position", "seats", "because", "used", "limit", "users", "detail"]
    }
    for sentence in (row.sentence(), row.sentence(facts), row.sentence_de(), row.sentence_de(facts)):
        assert sentence.endswith(".")
        assert not set("{}[]") & set(sentence.replace("[[trunk]]", "").replace("[media]", ""))
    assert row.remedy in row.sentence()
    assert row.remedy_de in row.sentence_de()
    assert row.q850_cause is None or row.q850_text


def test_a_sentence_tells_what_is_known() -> None:
    row = reason_for("license.teamdesk.blocked")
    assert row.sentence({"user": "anna", "because": ("office_plus",)}).startswith(
        "TeamDesk has no effect for anna, because this is missing: office_plus."
    )
    assert row.sentence().startswith("TeamDesk has no effect. ")


def test_facts_are_never_read_as_templates() -> None:
    assert "{limit}" in reason_for("request.invalid").sentence({"detail": "{limit}"})


def test_a_code_without_a_row_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        reason_for("made.up")
