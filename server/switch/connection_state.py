"""The states of a connection, and which of them follows which (ECMA-269 section 6.1.5)."""

from __future__ import annotations

from enum import StrEnum


class ConnectionState(StrEnum):
    """ECMA-269's connection states, as far as they occur."""

    NULL = "null"
    INITIATED = "initiated"
    ALERTING = "alerting"
    CONNECTED = "connected"
    HOLD = "hold"
    FAIL = "fail"


_S = ConnectionState
TRANSITIONS = {
    _S.NULL: frozenset({_S.INITIATED, _S.ALERTING}),
    _S.INITIATED: frozenset({_S.ALERTING, _S.CONNECTED, _S.FAIL, _S.NULL}),
    _S.ALERTING: frozenset({_S.CONNECTED, _S.FAIL, _S.NULL}),
    _S.CONNECTED: frozenset({_S.HOLD, _S.NULL}),
    _S.HOLD: frozenset({_S.CONNECTED, _S.NULL}),
    _S.FAIL: frozenset({_S.NULL}),
}
