"""The switch: calls, their connections, and the only place where a call changes state (CSTA's model, ECMA-269)."""
