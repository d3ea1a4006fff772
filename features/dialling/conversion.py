"""From one form of a number to another, by the dial parameters of a location (Wählparameter).

What is no possible number of its country, or a short one as 115, has no other form and stays as it was dialled. The
library knows countries and lengths; it is imported by the first number that is converted.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

    from .settings import Dialling, NumberFormat

_DIGITS: Final = re.compile(r"\+?[0-9]{1,32}")
_ONE_PREFIX: Final = re.compile(r"[0-9]{1,4}")
_NOWHERE: Final = "ZZ"


def is_country(code: str) -> bool:
    """Whether there is a country, or a part of the world's numbers, with that calling code."""
    return region_of(code) != _NOWHERE


@cache
def region_of(country: str) -> str:
    """The main region of a calling code as ISO 3166 names it; ZZ for none."""
    from phonenumbers import region_code_for_country_code  # noqa: PLC0415 - see the module

    return region_code_for_country_code(int(country))


@cache
def prefixes(plan: Dialling) -> tuple[str, str]:
    """What is dialled before a national number, and before an international one."""
    from phonenumbers import PhoneMetadata  # noqa: PLC0415

    known = PhoneMetadata.metadata_for_region_or_calling_code(int(plan.country), region_of(plan.country))
    national, international = plan.national_prefix, plan.international_prefix
    if national is None:
        national = (known.national_prefix if known is not None else None) or ""
    if international is None:
        preferred = known and (known.preferred_international_prefix or known.international_prefix)
        found = _ONE_PREFIX.match(preferred or "")
        international = found[0] if found else "00"
    return national, international


def outside(dialled: str, plan: Dialling) -> str | None:
    """Return a number as it is dialled outside, without the exit code; None for one that stays in the house."""
    if dialled.startswith("+"):
        return dialled
    if plan.exit_code:
        rest = dialled.removeprefix(plan.exit_code)
        return rest if rest and rest != dialled else None
    national, international = prefixes(plan)
    begins = tuple(one for one in (national, international) if one)
    return dialled if begins and dialled.startswith(begins) else None


def with_country(number: str, plan: Dialling) -> str:
    """Put the country code, and of a local number the area, before what was dialled outside, whatever number it is."""
    if number.startswith("+"):
        return number
    national, international = prefixes(plan)
    if international and number.startswith(international):
        return "+" + number.removeprefix(international)
    if national and number.startswith(national):
        return f"+{plan.country}{number.removeprefix(national)}"
    return f"+{plan.country}{plan.area}{number}"


def converted(number: str, form: NumberFormat, plan: Dialling) -> str:
    """Write what was dialled outside, or came from there, in another form; what has none stays as it is."""
    parsed = _parsed(number, plan)
    if parsed is None:
        return number
    from phonenumbers import national_significant_number  # noqa: PLC0415

    national, international = prefixes(plan)
    significant = national_significant_number(parsed)
    if form == "national" and parsed.country_code == int(plan.country):
        return national + significant
    return f"{'+' if form == 'e164' else international}{parsed.country_code}{significant}"


def to_call(number: str, came_by: Dialling, plan: Dialling) -> str:
    """Return what to dial where `plan` counts to reach a number that came from outside, in the way of the trunks."""
    written = number if came_by == plan else converted(number, "e164", came_by)
    return written if written.startswith("+") else plan.exit_code + number


def shown(number: str, plan: Dialling) -> str:
    """Return the number of a caller outside as the telephones of a location show it."""
    match plan.caller_format:
        case "as_signalled":
            return number
        case "dialled":
            return (
                number
                if _parsed(number, plan) is None
                else plan.exit_code + converted(number, "national", plan)
            )
        case form:
            return converted(number, form, plan)


def _parsed(number: str, plan: Dialling) -> PhoneNumber | None:
    """Read a number; None for one that is none of E.164."""
    if not _DIGITS.fullmatch(number):
        return None
    import phonenumbers  # noqa: PLC0415

    try:
        region = region_of(plan.country)
        if not number.startswith("+") and phonenumbers.is_valid_short_number_for_region(
            phonenumbers.parse(number, region), region
        ):
            return None
        parsed = phonenumbers.parse(with_country(number, plan), None)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None
