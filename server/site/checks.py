"""What must hold between and inside the parts of a site beyond their types: names, references, limits.

The reader runs this on a parsed file, and a store on the merge of a file with what it holds.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from itertools import chain
from typing import TYPE_CHECKING

from ...features.softphone.account import MOBILE
from ...features.voicemail.pin import RULE, is_pin
from ...licensing.catalogue import FUNCTIONS, LICENCES, MOST_OF_A_LICENCE
from ..sip.locating import leads_somewhere
from . import dealing, declared
from .attendants import attendant_problems
from .boxes import box_problems
from .calendars import calendar_problems
from .carriers import carrier_problems
from .code_checks import code_problems
from .dialling import dialling_problems
from .gateway_checks import gateway_problems
from .numbers import is_number, is_prefix, number_problems
from .peer import Peer
from .problem import Problem, closest
from .webhooks import webhook_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .problem import KeyPath
    from .site import Location, Site, Trunk, User

_NAME = re.compile(r"[\w.+~-]{1,64}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[0-9]+)?")  # RFC 6454 6.2
_SHORTEST_SILENCE_S, _LONGEST_SILENCE_S = 1.0, 3600.0
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def problems(site: Site) -> Iterator[Problem]:
    """Everything that is wrong with `site`, in no particular order."""
    yield from chain(
        dealing.problems(site),
        _entitlements(site),
        _locations(site),
        _users(site),
        number_problems(site),
        code_problems(site),
        gateway_problems(site),
        dialling_problems(site),
        declared.problems(site),
        _teams(site),
        _trunks(site),
        _twice("auto_attendant", [attendant.name for attendant in site.attendants]),
        _twice("data_source", [source.name for source in site.data_sources]),
        _twice("pickup_group", [group.name for group in site.pickup_groups]),
        _twice("webhook", [webhook.name for webhook in site.webhooks]),
        webhook_problems(site),
        _twice("calendar", [calendar.name for calendar in site.calendars]),
        calendar_problems(site),
        attendant_problems(site),
        box_problems(site),
        carrier_problems(site),
        _languages(site),
        _settings(site),
    )


def _entitlements(site: Site) -> Iterator[Problem]:
    for key, count in site.entitlements.items():
        path = ("entitlements", key)
        if key not in LICENCES:
            remedy = closest(key, LICENCES, f"use one of {', '.join(LICENCES)}")
            yield Problem(path, f'the licence "{key}" is not known', remedy)
        elif not 0 <= count <= MOST_OF_A_LICENCE:
            yield Problem(path, f"{count} is not a number of {key} licences", "write 0 or more")


def _locations(site: Site) -> Iterator[Problem]:
    yield from _twice("location", [location.name for location in site.locations])
    for index, location in enumerate(site.locations):
        path = ("location", index)
        if not location.name.strip():
            yield Problem((*path, "name"), "a location has no name", "write one")
        yield from _functions((*path, "functions"), location.functions, site)
        yield from _groups(path, location, site)


def _groups(path: KeyPath, location: Location, site: Site) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, group in enumerate(location.groups):
        here = (*path, "group", index)
        if not group.name.strip():
            yield Problem((*here, "name"), f'a group of "{location.name}" has no name', "write one")
        if group.name in seen:
            what = f'the group "{group.name}" is in "{location.name}" twice'
            yield Problem((*here, "name"), what, "rename or remove one of them")
        seen.add(group.name)
        yield from _functions((*here, "functions"), group.functions or frozenset(), site)


def _functions(path: KeyPath, functions: frozenset[str], site: Site) -> Iterator[Problem]:
    for function in sorted(functions):
        if function == "tapi_line" and site.licensing.tapi != "configured":
            what = 'the function "tapi_line" is on, but a line takes its licence when it is first used'
            yield Problem(path, what, 'remove it, or write tapi = "configured" in [licensing]')
        elif function not in FUNCTIONS:
            remedy = closest(function, FUNCTIONS, f"use one of {', '.join(FUNCTIONS)}")
            yield Problem(path, f'the function "{function}" is not known', remedy)


def _users(site: Site) -> Iterator[Problem]:
    groups = {location.name: {group.name for group in location.groups} for location in site.locations}
    seen: dict[str, str] = {}
    for index, user in enumerate(site.users):
        path = ("user", index)
        if (twin := seen.get(user.name.casefold())) is not None:
            what = f'the user "{user.name}" is there twice'
            if twin != user.name:
                what = f'the users "{twin}" and "{user.name}" differ by case only'
            yield Problem((*path, "name"), what, "rename or remove one of them")
        seen[user.name.casefold()] = user.name
        yield from _user(path, user)
        yield from _place(path, user, groups)


def _user(path: KeyPath, user: User) -> Iterator[Problem]:
    if user.name.removeprefix("+").isdigit():
        what = f'the user name "{user.name}" is a number'
        yield Problem((*path, "name"), what, "use a name with a letter; the number belongs in extension")
    elif user.name.endswith(MOBILE):
        what = f'the user name "{user.name}" is that of a mobile softphone'
        yield Problem((*path, "name"), what, f"do not let it end in {MOBILE}")
    elif not _NAME.fullmatch(user.name) or not user.name.strip("."):
        what = f"the user name {user.name!r} cannot be part of a SIP address"
        yield Problem((*path, "name"), what, "use letters, digits and . _ - + ~ only, at most 64")
    if not user.password:
        yield Problem((*path, "password"), f'the password of "{user.name}" is empty', "write one")
    if user.voicemail_pin is not None and not is_pin(user.voicemail_pin):
        what = f'the voicemail_pin of "{user.name}" is not a PIN'
        yield Problem((*path, "voicemail_pin"), what, RULE)
    if user.email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", user.email):
        yield Problem((*path, "email"), f'"{user.email}" is not an e-mail address', "write name@domain")


def _place(path: KeyPath, user: User, groups: Mapping[str, set[str]]) -> Iterator[Problem]:
    if user.location not in groups:
        what = f'the location "{user.location}" of the user "{user.name}" is not there'
        remedy = closest(user.location, groups, "add a [[location]] of that name")
        yield Problem((*path, "location"), what, remedy)
    elif user.group is not None and user.group not in groups[user.location]:
        what = f'the group "{user.group}" of the user "{user.name}" is not there in "{user.location}"'
        otherwise = f'add a [[location.group]] of that name to "{user.location}"'
        yield Problem((*path, "group"), what, closest(user.group, groups[user.location], otherwise))


def _teams(site: Site) -> Iterator[Problem]:
    names = {user.name for user in site.users}
    yield from _twice("team", [team.name for team in site.teams])
    for index, team in enumerate(site.teams):
        for key, people in (("members", team.members), ("leaders", team.leaders)):
            for person in people:
                if person not in names:
                    what = f'"{person}" in the {key} of the team "{team.name}" is no user'
                    yield Problem(
                        ("team", index, key), what, closest(person, names, "add the user or remove the name")
                    )


def _trunks(site: Site) -> Iterator[Problem]:
    yield from _twice("trunk", [trunk.name for trunk in site.trunks])
    owners: dict[Peer, str] = {}
    for index, trunk in enumerate(site.trunks):
        path = ("trunk", index)
        yield from _trunk(path, trunk)
        for position, text in enumerate(trunk.peers):
            here = (*path, "peers", position)
            try:
                peer = Peer.parse(text)
            except ValueError:
                remedy = 'write an address, address:port or network, such as "127.0.0.1:5070"'
                yield Problem(here, f'"{text}" is no peer of the trunk "{trunk.name}"', remedy)
                continue
            if owners.setdefault(peer, trunk.name) != trunk.name:
                what = f'the peer "{text}" belongs to the trunks "{owners[peer]}" and "{trunk.name}"'
                yield Problem(here, what, "remove it from one of them")


def _trunk(path: KeyPath, trunk: Trunk) -> Iterator[Problem]:
    if trunk.numbers and not re.fullmatch(r"\+?[0-9]{1,20}", trunk.numbers):
        what = f'the direct-dial root "{trunk.numbers}" of the trunk "{trunk.name}" is no number'
        yield Problem((*path, "numbers"), what, "use digits only")
    if trunk.uri is not None and not leads_somewhere(trunk.uri):
        what = f'the uri "{trunk.uri}" of the trunk "{trunk.name}" leads nowhere over UDP, TCP or TLS'
        yield Problem((*path, "uri"), what, 'write e.g. "sip:127.0.0.30:5070" or "sip:trunk.example.com"')
    if trunk.outbound_prefix is not None and not is_prefix(trunk.outbound_prefix):
        what = f'the outbound_prefix "{trunk.outbound_prefix}" of the trunk "{trunk.name}" cannot be dialled'
        yield Problem((*path, "outbound_prefix"), what, "use 1 to 4 digits, * or #, or remove the key")
    if (trunk.username is None) != (trunk.password is None):
        key, other = ("username", "password") if trunk.password is None else ("password", "username")
        yield Problem(
            (*path, key), f'the trunk "{trunk.name}" has a {key} and no {other}', "give both or neither"
        )
    if trunk.realm is not None and not (trunk.realm and trunk.username):
        what = f'the trunk "{trunk.name}" has ' + (
            "a realm and no username" if trunk.realm else "an empty realm"
        )
        yield Problem(
            (*path, "realm"), what, "give the realm of the far end's challenge, and username and password"
        )
    missing = [key for key in ("uri", "username", "password") if getattr(trunk, key) is None]
    if trunk.register and missing:
        what = f'the trunk "{trunk.name}" is to register and has no {" and no ".join(missing)}'
        yield Problem((*path, "register"), what, "give uri, username and password, or remove register")


def _languages(site: Site) -> Iterator[Problem]:
    for start, language in site.server.languages.items():
        if not re.fullmatch(r"\+[0-9]{1,10}", start) or not re.fullmatch(r"[a-z]{2}", language):
            what = f'"{start}" = "{language}" tells of no callers their language'
            yield Problem(("server", "languages", start), what, 'write e.g. "+4122" = "fr"')


def _settings(site: Site) -> Iterator[Problem]:
    if not _DOMAIN.fullmatch(site.server.domain):
        yield Problem(
            ("server", "domain"), f'"{site.server.domain}" is no domain name', "write e.g. firma.example"
        )
    if not is_number(site.test_numbers.prefix):
        what = f'the prefix "{site.test_numbers.prefix}" of the test numbers is no number'
        yield Problem(("test_numbers", "prefix"), what, "use digits only")
    if not _SHORTEST_SILENCE_S <= site.media.silent_s <= _LONGEST_SILENCE_S:
        what = f"no leg can be silent for {site.media.silent_s:g} seconds"
        remedy = f"write {_SHORTEST_SILENCE_S:g} to {_LONGEST_SILENCE_S:g}"
        yield Problem(("media", "silent_s"), what, remedy)
    algorithms = site.security.digest_algorithms
    if not algorithms or len(set(algorithms)) < len(algorithms):
        what = "digest_algorithms names none, or one twice"
        yield Problem(("security", "digest_algorithms"), what, 'write e.g. ["MD5", "SHA-256"]')
    for index, source in enumerate(site.security.trusted_sources):
        try:
            ip_network(source, strict=False)
        except ValueError:
            what = f'the trusted source "{source}" is neither an address nor a network'
            yield Problem(
                ("security", "trusted_sources", index), what, 'write e.g. "127.0.0.1" or "10.1.0.0/16"'
            )
    for index, origin in enumerate(site.security.websocket_origins):
        if not _ORIGIN.fullmatch(origin):
            what = f'"{origin}" is no origin of pages'
            remedy = 'write scheme, host and port as a browser does, e.g. "https://app.firma.example"'
            yield Problem(("security", "websocket_origins", index), what, remedy)


def _twice(table: str, names: list[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            what = f'the {table.replace("_", " ")} "{name}" is there twice'
            yield Problem((table, index, "name"), what, "rename or remove one of them")
        seen.add(name)
