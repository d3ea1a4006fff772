"""Function by licence state: which rule refuses each voice function, and what becomes of its settings.

`tests/server/switch/test_function_table.py` asks by telephone, `tests/server/api/test_function_table.py` over HTTP. The
expectations are those of the domain's tables, written out, not computed from the server's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

STATES: Final = (
    "assigned",
    "under_licensed",
    "prerequisite",
    "minimum",
    "not_configured",
    "moved_away",
)


@dataclass(frozen=True)
class Function:
    """A function that anna has, what her place needs for it, the licence that she may lack, and a setting of it.

    `minimum` tells that there is no such function below 2 IP channels; `number` that to others it is a number, which
    does not exist where it is not configured.
    """

    name: str
    also: tuple[str, ...]
    licence: str
    first: str
    """The licence that is asked for first: without a Server licence the refusal names it."""
    setting: str = ""
    minimum: bool = False
    number: bool = False

    @property
    def on(self) -> tuple[str, ...]:
        return (*self.also, self.name)

    def reason(self, state: str) -> str | None:
        """The reason of the refusal; None where there is none."""
        return {
            "assigned": None,
            "under_licensed": f"license.{self.licence}.under_licensed",
            "prerequisite": f"license.{self.first}.blocked",
            "minimum": f"license.{self.first}.blocked" if self.minimum else None,
            "not_configured": "function.not_configured",
            "moved_away": "function.not_configured",
        }[state]

    def sip(self, state: str) -> tuple[int, int | None]:
        """The SIP status, and the cause (Q.850) of its Reason."""
        reason = self.reason(state)
        if reason is None:
            return 200, None
        if reason == "function.not_configured":
            return (404, 1) if self.number else (403, 21)
        return 403, 50

    def http(self, state: str) -> int:
        """The status over HTTP."""
        reason = self.reason(state)
        return 200 if reason is None else 404 if reason == "function.not_configured" else 403

    def keeps_setting(self, state: str) -> bool:
        """L-46: who lacks a licence keeps his settings; L-06: whose function is off has none."""
        return state not in {"not_configured", "moved_away"}


PROFILE = 'profile = { order = "mobile_after", numbers = ["01711234567"] }'
FUNCTIONS: Final = {
    function.name: function
    for function in (
        Function("softphone", (), "office_plus", "office_plus"),
        Function("softphone_mobile", (), "office_plus", "office_plus", "wake_s = 7.0"),
        Function("one_number", ("softphone",), "office_plus", "office_plus", PROFILE),
        Function("presence", (), "office", "office"),
        Function("chat", ("softphone",), "office", "office"),
        Function("voicemail", (), "voicemail", "voicemail", 'language = "de"', minimum=True, number=True),
        Function("voicemail_client", ("voicemail",), "office", "voicemail", minimum=True),
        Function("voicemail_mobile", ("voicemail",), "office_plus", "voicemail", minimum=True),
        Function(
            "voicemail_sms",
            ("voicemail",),
            "office",
            "voicemail",
            'sms = { to = "+491701234567" }',
            minimum=True,
        ),
        Function("cti", (), "office", "office"),
    )
}

_BOUGHT = {"server": 1, "ip_channel": 2, "auto_attendant": 1, "office": 3, "office_plus": 3, "voicemail": 3}
_SCARCE = {
    "office": {"office": 1, "office_plus": 0},
    "office_plus": {"office": 2, "office_plus": 1},
    "voicemail": {"voicemail": 1},
}


def site(function: Function, state: str) -> str:
    """A site where anna, the second in line, is in that state; ben's telephone needs nothing."""
    bought = dict(_BOUGHT)
    if state == "under_licensed":
        bought |= _SCARCE[function.licence]
    elif state == "prerequisite":
        bought["server"] = 0
    elif state == "minimum":
        bought |= {"ip_channel": 1, "auto_attendant": 0}
    entitlements = "\n".join(f"{key} = {count}" for key, count in bought.items())
    place = 'group = "Ohne"\n' if state == "not_configured" else ""
    setting = f"\n[user.settings.{function.name}]\n{function.setting}" if function.setting else ""
    return f"""
[server]
domain = "tafel.example"
[entitlements]
{entitlements}
[[location]]
name = "Haus"
functions = {list(function.on)}
[[location.group]]
name = "Ohne"
functions = []
[[user]]
name = "frueh"
location = "Haus"
extension = "102"
password = "Frueh-1020-Feige"
[[user]]
name = "anna"
location = "Haus"
{place}extension = "100"
password = "Anna-1000-Apfel"
email = "anna@tafel.example"
voicemail_pin = "8264"
{setting}
[[user]]
name = "ben"
location = "Haus"
group = "Ohne"
extension = "101"
password = "Ben-1010-Birne"
[voicemail]
extension = "199"
direct_prefix = "*"
[security]
trusted_sources = ["127.0.0.1"]
"""


def cells(*names: str) -> pytest.MarkDecorator:
    """A test of these functions in all states: `function` and `state`, each on its own site."""
    return pytest.mark.parametrize(
        ("function", "state"),
        [
            pytest.param(
                FUNCTIONS[name], state, marks=pytest.mark.ringfence(site=site(FUNCTIONS[name], state))
            )
            for name in names
            for state in STATES
        ],
        ids=lambda value: value.name if isinstance(value, Function) else value,
    )
