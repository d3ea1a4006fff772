"""The parsed site: what a site file says, as frozen values.

`reader` makes them from TOML, `directory` answers run-time questions from them, and the store keeps users,
locations and groups. The field names are the keys of the file, so that an error can name them.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Literal

from ...features.dialling.settings import Dialling
from ...features.feature_codes.settings import FeatureCodes, PickupGroup
from ...features.one_number.gateway import Gateway
from ...features.parking.settings import Parking
from ...features.telephone.settings import Forward
from .attendants import Attendant
from .calendars import CalendarSettings
from .carriers import MailSettings, SmsSettings
from .responses import Responses

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that no text of a site has: they would break lines in SIP headers, logs and messages."""

_STRICT: Mapping[str, object] = {"extra": "forbid", "strict": True}


class SiteError(Exception):
    """A site file that does not count: one sentence with the file, the line, what is wrong and the remedy.

    `line` is None where the mistake is not in one line, for instance when the file is missing.
    """

    def __init__(self, file: str, line: int | None, what: str, remedy: str) -> None:
        place = file if line is None else f"{file}, line {line}"
        super().__init__(CONTROL.sub(lambda match: ascii(match[0])[1:-1], f"{place}: {what}; {remedy}"))
        self.file = file
        self.line = line
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Server:
    """`[server]`: the company's name, its SIP domain, the language of its announcements, the country of its tones.

    `languages` maps beginnings of numbers to the languages of who calls from them, where their country says another.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str = "Ringfence"
    domain: str = "ringfence.example"
    language: Literal["de", "en"] = "en"
    languages: Mapping[str, str] = field(default_factory=dict)
    tones: Literal["at", "be", "ch", "de", "dk", "es", "fr", "gb", "it", "nl", "us"] = "de"


@dataclass(frozen=True, slots=True)
class PoolMode:
    """A line of `[licensing.modes]`: `mode`, or the number that names one; `grace_percent` goes with a grace."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    mode: Literal["enforce", "warn", "grace", "overdraft"] | None = None
    grace_days: int | None = None
    grace_percent: int | None = None
    overdraft: int | None = None


@dataclass(frozen=True, slots=True)
class LicensingSettings:
    """`[licensing]`: how entitlements are dealt. Without `trusted_keys` the developer key alone is trusted."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    mode: Literal["enforce", "warn", "grace", "overdraft"] = "enforce"
    modes: Mapping[str, PoolMode] = field(default_factory=dict)
    reservations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trusted_keys: tuple[str, ...] = ()
    aa_limit_unit: Literal["channels", "attendants", "both"] = "channels"
    mobile_fax_requires_plus: bool = False
    tapi: Literal["first_use", "configured"] = "first_use"


@dataclass(frozen=True, slots=True)
class Group:
    """`[[location.group]]`, a configuration group (Konfigurationsgruppe).

    `functions` None inherits the location's; a set, even an empty one, replaces it whole.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    functions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """`[[location]]` (Standort) with its function list and its groups."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    functions: frozenset[str] = frozenset()
    contingent: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A personal setting: the function that it goes with (L-06), its key, and its JSON value."""

    function: str
    key: str
    value: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class User:
    """`[[user]]`. `seq` is the creation sequence number; it never changes and orders the users (A-01).

    `settings` are the personal settings of `[user.settings.FUNCTION]`; `personal` knows all of a user's.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    seq: int
    location: str
    extension: str
    password: str = field(repr=False)
    display_name: str = ""
    group: str | None = None
    fax_number: str | None = None
    email: str | None = None
    voicemail_pin: str | None = field(default=None, repr=False)
    forward: Forward | None = None
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    """`[[team]]`: a TeamDesk hotline; with `analytics` its members count for the Analytics rule (L-51)."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    members: tuple[str, ...] = ()
    leaders: tuple[str, ...] = ()
    analytics: bool = False


@dataclass(frozen=True, slots=True)
class Trunk:
    """`[[trunk]]`: the far ends that calls come from, and where calls out go (`uri`).

    `numbers` is the direct-dial root, taken off a called number from outside. With `register` we register at `uri` as
    `username`. Challenges are answered as `username`, with `realm` those of that realm alone.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    peers: tuple[str, ...]
    numbers: str = ""
    uri: str | None = None
    outbound_prefix: str | None = None
    number_format: Literal["as_dialled", "e164", "international", "national"] = "as_dialled"
    emergency: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    realm: str | None = None
    register: bool = False


@dataclass(frozen=True, slots=True)
class DataSource:
    """`[[data_source]]`: one directory source."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str


@dataclass(frozen=True, slots=True)
class VoicemailSettings:
    """`[voicemail]`: the number to listen at, the prefix that reaches a box directly, the PIN rule, and limits.

    A message is cut at `longest_message_s`; with `most_messages` in it a box is full. A message goes
    `keep_days` days after it was heard (None: it stays); one that nobody has heard always stays.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    extension: str | None = None
    direct_prefix: str = "*"
    pin_from_own_phone: bool = True
    transfer: Literal["release", "hairpin"] = "release"
    longest_message_s: float = 180.0
    most_messages: int = 10_000
    keep_days: int | None = None

    def box_number(self, extension: str) -> str:
        """The number that leaves a message in the box of `extension` without ringing."""
        return self.direct_prefix + extension


@dataclass(frozen=True, slots=True)
class Numbers:
    """`[numbers]`: the emergency numbers; a default one that is somebody's number here is dropped."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    emergency: tuple[str, ...] = ("110", "112")


@dataclass(frozen=True, slots=True)
class Csta:
    """`[csta]`: whether CSTA monitors count on the TAPI lines."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    licensed: bool = True


@dataclass(frozen=True, slots=True)
class Fax:
    """`[fax]`: which fax engine serves."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    engine: Literal["spandsp", "tone"] = "spandsp"


@dataclass(frozen=True, slots=True)
class Media:
    """`[media]`: after how many seconds without RTP a leg that occupies a channel ends, whatever its RTCP says.

    With `energy` verdicts tell how loud it was and which tones were heard; that costs about 3 µs a packet. Without
    `hold_music` who is held hears what the other end plays, if anything. With `direct` two telephones of the house send
    their audio to each other where nothing speaks against it (decision 29). `srtp` says where audio may be encrypted by
    keys in the signalling (RFC 4568): nowhere, where that is TLS, or everywhere, though others may read the keys.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    silent_s: float = 60.0
    energy: bool = False
    hold_music: bool = True
    direct: bool = False
    srtp: Literal["off", "tls", "always"] = "tls"


@dataclass(frozen=True, slots=True)
class TestNumbers:
    """`[test_numbers]`: the numbers for trying out, and what they begin with."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    __test__: ClassVar[bool] = False
    enabled: bool = True
    prefix: str = "99"


@dataclass(frozen=True, slots=True)
class Security:
    """`[security]`: addresses and networks for which guessing delay, ban and rate limit are lifted.

    `websocket_origins` are whose pages may speak SIP over WebSocket, besides those of the own host.
    `digest_algorithms` are what SIP accounts are asked for, the preferred one first (RFC 8760); MD5 alone unless the
    site knows that its telephones take a second challenge (decision 14).
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    trusted_sources: tuple[str, ...] = ()
    websocket_origins: tuple[str, ...] = ()
    digest_algorithms: tuple[Literal["MD5", "SHA-256"], ...] = ("MD5",)


@dataclass(frozen=True, slots=True)
class Webhook:
    """`[[webhook]]`: who is told of events by HTTP, signed with `secret`.

    `events` are names as in the event log, or patterns as `licence.*`. Without `allow_remote` the `url` leads to
    this machine.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = _STRICT
    name: str
    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...] = ("*",)
    allow_remote: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A whole site. `source` names the file for messages; `text` is the TOML that it came from."""

    server: Server = Server()
    entitlements: Mapping[str, int] = field(default_factory=dict)
    licensing: LicensingSettings = LicensingSettings()
    locations: tuple[Location, ...] = ()
    users: tuple[User, ...] = ()
    teams: tuple[Team, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    attendants: tuple[Attendant, ...] = ()
    data_sources: tuple[DataSource, ...] = ()
    voicemail: VoicemailSettings = VoicemailSettings()
    numbers: Numbers = Numbers()
    dialling: tuple[Dialling, ...] = ()
    feature_codes: FeatureCodes = field(default_factory=FeatureCodes)
    parking: Parking = field(default_factory=Parking)
    one_number: Gateway = field(default_factory=Gateway)
    pickup_groups: tuple[PickupGroup, ...] = ()
    csta: Csta = Csta()
    fax: Fax = Fax()
    media: Media = Media()
    test_numbers: TestNumbers = TestNumbers()
    security: Security = Security()
    webhooks: tuple[Webhook, ...] = ()
    calendars: tuple[CalendarSettings, ...] = ()
    responses: Responses = field(default_factory=Responses)
    mail: MailSettings | None = None
    sms: SmsSettings | None = None
    source: str = ""
    text: str = field(default="", repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the text, whatever its line ends: is this file the one that a store imported?"""
        return hashlib.sha256("\n".join(self.text.splitlines()).encode()).hexdigest()

    @staticmethod
    def read(path: Path | str) -> "Site":
        """Read the site file at `path`; raises `SiteError`."""
        from .reader import read  # noqa: PLC0415 - pydantic is imported when a file is read, not before

        return read(Path(path))

    @staticmethod
    def sample(name: str = "musterfirma") -> "Site":
        """Return a site that comes along with the package: `musterfirma`, or `small` for tests."""
        path = files(__name__.partition(".")[0]) / "fixtures" / "sites" / f"{name}.toml"
        return Site.parse(path.read_text(encoding="utf-8"), path.name)

    @staticmethod
    def parse(text: str, name: str = "site.toml") -> "Site":
        """Parse TOML `text`, called `name` in messages; raises `SiteError`."""
        from .reader import parse  # noqa: PLC0415 - as above

        return parse(text, name)
