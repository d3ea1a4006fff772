"""How a line of the table of reasons is written, and the constants of TAPI and Q.850 by their names."""

from __future__ import annotations

from .reason import Csta, Reason, Tapi

_LINEERR = {
    "CALLUNAVAIL": 0x80000005,
    "CONFERENCEFULL": 0x80000007,
    "INVALCALLHANDLE": 0x80000018,
    "INVALCALLSTATE": 0x8000001C,
    "OPERATIONFAILED": 0x80000048,
    "OPERATIONUNAVAIL": 0x80000049,
    "RESOURCEUNAVAIL": 0x8000004B,
    "SERVICE_NOT_RUNNING": 0x80000061,
}
_DISCONNECT = {
    "REJECT": 0x4,
    "BUSY": 0x20,
    "NOANSWER": 0x40,
    "BADADDRESS": 0x80,
    "UNREACHABLE": 0x100,
    "CONGESTION": 0x200,
    "INCOMPATIBLE": 0x400,
    "TEMPFAILURE": 0x8000,
    "BLOCKED": 0x20000,
    "DONOTDISTURB": 0x40000,
    "CANCELLED": 0x80000,
}
Q850_TEXTS = {
    1: "unallocated number",
    3: "no route to destination",
    38: "network out of order",
    16: "normal call clearing",
    17: "user busy",
    19: "no answer from user",
    20: "subscriber absent",
    21: "call rejected",
    25: "exchange routing error",
    31: "normal, unspecified",
    34: "no circuit/channel available",
    41: "temporary failure",
    42: "switching equipment congestion",
    47: "resource unavailable",
    50: "requested facility not subscribed",
    65: "bearer capability not implemented",
    88: "incompatible destination",
}


def row(
    code: str,
    statuses: tuple[int | None, int | tuple[int, str] | None, int | None],
    cti: tuple[str, str],
    english: tuple[str, str],
    german: tuple[str, str],
    *,
    retry_s: int | None = None,
) -> Reason:
    """Read one line of the table: (SIP, Q.850, HTTP), ("TAPI error/mode", "CSTA category/value"), texts."""
    sip, q850, http = statuses
    error, _, mode = cti[0].partition("/")
    category, _, value = cti[1].partition("/")
    cause, text = q850 if isinstance(q850, tuple) else (q850, Q850_TEXTS.get(q850 or 0, ""))
    return Reason(
        code,
        sip,
        cause,
        text,
        Tapi(f"LINEERR_{error}", _LINEERR[error] - 2**32) if error else None,
        Tapi(f"LINEDISCONNECTMODE_{mode}", _DISCONNECT[mode]) if mode else None,
        Csta(category, value) if category else None,
        http,
        retry_s,
        *english,
        *german,
    )
