"""The one table in which a reason code becomes SIP, Q.850, TAPI, CSTA, HTTP and a sentence.

Every door translates a `Refusal` by `reason_for` and by nothing else. Q.850 causes travel in the Reason
header (RFC 3326, RFC 6432); 503 stands only for what passes by itself, so that no client tries elsewhere for
want of a licence.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from .catalogue import LICENCES
from .reason import Csta, Reason, Tapi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .refusal import Refusal


def reason_for(refused: str | Refusal) -> Reason:
    """Return the row of a code; of a refusal, the row for its function where that answers differently.

    Raises `KeyError` for a code that has no row.
    """
    if isinstance(refused, str):
        return REASONS[refused]
    return _OF_FUNCTION.get((refused.reason, refused.facts.get("function"))) or REASONS[refused.reason]


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
_Q850_TEXTS = {
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


def _row(
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
    cause, text = q850 if isinstance(q850, tuple) else (q850, _Q850_TEXTS.get(q850 or 0, ""))
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


_GENERIC = "subscribedResourceAvailability/generic"
_TRUNK_LIMIT = "subscribedResourceAvailability/trunkLimitExceeded"
_PERFORMANCE = "performanceManagement/generic"
_SYSTEM = "systemResourceAvailability"
_RESOURCE = f"{_SYSTEM}/generic"


def _licence_rows(key: str) -> Iterator[Reason]:
    en, de = LICENCES[key].title, LICENCES[key].title_de
    yield _row(
        f"license.{key}.under_licensed", (403, 50, 403), ("RESOURCEUNAVAIL", _GENERIC),
        (f"No {en} licence is left[ for {{user}}][: number {{position}} in the order, room for {{seats}}].",
         f"Buy {en} licences or switch the function off for somebody served earlier."),
        (f"Keine Lizenz {de} ist übrig[ für {{user}}][: Stelle {{position}}, Platz für {{seats}}].",
         f"Lizenzen {de} kaufen oder die Funktion bei jemandem abschalten, der früher bedient wird."),
    )  # fmt: skip
    yield _row(
        f"license.{key}.blocked", (403, 50, 403), ("OPERATIONUNAVAIL", _GENERIC),
        (f"{en} has no effect[ for {{user}}][, because this is missing: {{because}}].",
         "Buy what is missing; the licence overview shows how much."),
        (f"{de} wirkt nicht[ für {{user}}][, denn es fehlt: {{because}}].",
         "Das Fehlende kaufen; die Lizenzübersicht zeigt, wie viel."),
    )  # fmt: skip


# fmt: off
_ROWS = (
    _row("server.unlicensed", (403, 50, 403), ("SERVICE_NOT_RUNNING", _GENERIC),
         ("There is no Server licence.", "Add server = 1 to the entitlements."),
         ("Es gibt keine Server-Lizenz.", "server = 1 in die Berechtigungen aufnehmen.")),
    *(row for key in LICENCES if key != "server" for row in _licence_rows(key)),
    _row("function.not_configured", (403, 21, 404), ("OPERATIONUNAVAIL", "operation/serviceNotSupported"),
         ("The function[ {function}] is not switched on[ for {user}].",
          "Switch it on for the group or location."),
         ("Die Funktion[ {function}] ist[ für {user}] nicht eingeschaltet.",
          "Für Gruppe oder Standort einschalten.")),
    _row("ip_channel.exhausted", (503, (34, "no IP channel"), 429), ("CALLUNAVAIL/CONGESTION", _TRUNK_LIMIT),
         ("No IP channel is free[: {used} of {limit} are in use].",
          "Wait for a call to end or buy IP Channel licences."),
         ("Kein IP-Kanal ist frei[: {used} von {limit} sind belegt].",
          "Ein Gesprächsende abwarten oder IP-Kanäle kaufen."),
         retry_s=5),
    _row("auto_attendant.exhausted", (503, (34, "no attendant channel"), 429),
         ("CALLUNAVAIL/CONGESTION", _TRUNK_LIMIT),
         ("No attendant channel is free[: {used} of {limit} are in use].",
          "Wait or buy Auto Attendant licences."),
         ("Kein Attendant-Kanal ist frei[: {used} von {limit} sind belegt].",
          "Warten oder Auto-Attendant-Lizenzen kaufen."),
         retry_s=5),
    _row("license.tapi_line.exhausted", (None, None, 403),
         ("RESOURCEUNAVAIL", "subscribedResourceAvailability/objectMonitorLimitExceeded"),
         ("Every TAPI Line licence is bound to a line[: {used} of {limit}].",
          "Release a line or buy TAPI Line licences."),
         ("Jede TAPI-Leitungslizenz ist gebunden[: {used} von {limit}].",
          "Eine Leitung freigeben oder Lizenzen kaufen.")),
    _row("analytics.members_unlicensed", (None, None, 403), ("", ""),
         ("Analytics is closed: team members lack TeamDesk[: {users}].",
          "Buy TeamDesk licences or make the teams smaller."),
         ("Analytics ist zu: Mitgliedern fehlt TeamDesk[: {users}].",
          "TeamDesk-Lizenzen kaufen oder Teams verkleinern.")),
    _row("analytics.no_cti", (None, None, 403), ("", ""),
         ("Analytics is closed: no TAPI or CSTA session is open.", "Connect a CTI application."),
         ("Analytics ist zu: keine TAPI- oder CSTA-Sitzung besteht.", "Eine CTI-Anwendung verbinden.")),
    _row("directory.sources.exhausted", (None, None, 409), ("", ""),
         ("No further data source may be connected[: {used} of {limit}].",
          "Buy Additional Databases licences."),
         ("Keine weitere Datenquelle ist möglich[: {used} von {limit}].",
          "Lizenzen für Datenbanken kaufen.")),
    _row("user.busy", (486, 17, None), ("/BUSY", "Failed/busy"),
         ("The called party is busy.", "Call again later, or set up a forwarding for busy."),
         ("Der Angerufene ist besetzt.", "Später anrufen oder eine Weiterleitung bei besetzt einrichten.")),
    _row("user.do_not_disturb", (486, 17, None), ("/DONOTDISTURB", "Failed/doNotDisturb"),
         ("The called party is not to be disturbed.", "Call again later, or set up a forwarding for busy."),
         ("Der Angerufene hat Anrufschutz.", "Später anrufen oder eine Weiterleitung bei besetzt einrichten.")),
    _row("forward.loop", (482, 25, None), ("/UNREACHABLE", "Failed/destNotObtainable"),
         ("The forwardings lead in a circle, or through more than five users.",
          "Let one of the users forward to somebody else."),
         ("Die Weiterleitungen führen im Kreis oder über mehr als fünf Benutzer.",
          "Einen der Benutzer anderswohin weiterleiten lassen.")),
    _row("call_back.nobody", (480, 31, 409), ("INVALCALLSTATE", "stateIncompatibility/invalidObjectState"),
         ("Nobody was busy for this user within the last minute.", "Call him first, and ask for the call back then."),
         ("Niemand war in der letzten Minute für diesen Benutzer besetzt.",
          "Erst anrufen, dann den Rückruf verlangen.")),
    _row("user.no_answer", (480, 19, None), ("/NOANSWER", ""),
         ("It rang, and nobody answered.", "Call again later, or set up a forwarding for no answer."),
         ("Es klingelte, und niemand nahm ab.",
          "Später anrufen oder eine Weiterleitung bei Nichtmelden einrichten.")),
    _row("user.not_registered", (480, 20, 409), ("CALLUNAVAIL", "Failed/destNotObtainable"),
         ("No phone[ of {user}] is registered.", "Register the desk phone or a licensed softphone."),
         ("Kein Telefon[ von {user}] ist angemeldet.", "Tischtelefon oder lizenziertes Softphone anmelden.")),
    _row("number.unknown", (404, 1, 404), ("/BADADDRESS", "operation/invalidDestination"),
         ("Nothing is dialled by that number.", "Check the number and the trunk's direct-dial root."),
         ("Unter dieser Nummer gibt es nichts.", "Die Nummer und den Rufnummernstamm des Trunks prüfen.")),
    _row("trunk.none", (404, 3, 409), ("/UNREACHABLE", "Failed/networkNotObtainable"),
         ("There is no trunk to the outside.", "Give a [[trunk]] a uri."),
         ("Es gibt keinen Trunk nach außen.", "Einem [[trunk]] eine uri geben.")),
    _row("trunk.failed", (503, 38, 503), ("/UNREACHABLE", "Failed/networkOutOfOrder"),
         ("The trunk's far end did not take the call.", "Check its uri, account and far end."),
         ("Die Gegenseite des Trunks nahm den Anruf nicht an.",
          "Die uri, das Konto und die Gegenseite des Trunks prüfen."), retry_s=5),
    _row("trunk.forbidden", (403, 21, 403), ("/BLOCKED", "Failed/unauthorizedBearerService"),
         ("This caller may not use the trunk.",
          "Call from a phone of the house, or forward by a user's own setting."),
         ("Dieser Anrufer darf den Trunk nicht nutzen.",
          "Von einem Telefon des Hauses anrufen oder selbst weiterleiten.")),
    _row("media.incompatible", (488, 65, None), ("/INCOMPATIBLE", "Failed/incompatibleDestination"),
         ("The two ends have no codec in common.", "Offer PCMA or PCMU at a unicast address."),
         ("Die beiden Seiten haben keinen gemeinsamen Codec.",
          "PCMA oder PCMU an einer Unicast-Adresse anbieten.")),
    _row("media.srtp.in_clear", (488, 65, None), ("/INCOMPATIBLE", "Failed/incompatibleDestination"),
         ("The keys of encrypted audio came where others can read them.",
          "Let the telephone speak TLS, or set srtp of [media] to always."),
         ("Die Schlüssel des verschlüsselten Tons kamen dort, wo andere sie lesen können.",
          "Das Telefon TLS sprechen lassen oder srtp unter [media] auf always setzen.")),
    _row("media.srtp.off", (488, 65, None), ("/INCOMPATIBLE", "Failed/incompatibleDestination"),
         ("Encrypted audio is switched off here.", "Offer RTP/AVP, or set srtp of [media] to tls."),
         ("Verschlüsselter Ton ist hier abgeschaltet.",
          "RTP/AVP anbieten oder srtp unter [media] auf tls setzen.")),
    _row("media.srtp.not_installed", (488, 65, None), ("/INCOMPATIBLE", "Failed/incompatibleDestination"),
         ("Audio is not encrypted here: the srtp extra is not installed.", "Install it, or offer RTP/AVP."),
         ("Ton wird hier nicht verschlüsselt: das Extra srtp fehlt.",
          "Es installieren oder RTP/AVP anbieten.")),
    _row("media.srtp.unknown", (488, 65, None), ("/INCOMPATIBLE", "Failed/incompatibleDestination"),
         ("The two ends have no way of encryption in common.",
          "Offer AES_CM_128_HMAC_SHA1_80 without a master key identifier."),
         ("Die beiden Seiten haben keine gemeinsame Verschlüsselung.",
          "AES_CM_128_HMAC_SHA1_80 ohne Master Key Identifier anbieten.")),
    _row("media.ports.exhausted", (503, 47, 503), ("/CONGESTION", "systemResourceAvailability/resourceBusy"),
         ("No RTP port is free.", "Give more ports by --rtp-ports."),
         ("Kein RTP-Port ist frei.", "Mit --rtp-ports mehr Ports geben."), retry_s=5),
    _row("media.apart", (488, 41, 409), ("RESOURCEUNAVAIL/TEMPFAILURE", _RESOURCE),
         ("The two ends are carried by different media workers.",
          "Call one of them again from the telephone that joins them."),
         ("Die beiden Seiten liegen in verschiedenen Medienprozessen.",
          "Eine der beiden von dem Telefon, das sie verbindet, noch einmal anrufen.")),
    _row("media.failed", (500, 41, 503), ("/TEMPFAILURE", "systemResourceAvailability/resourceOutOfService"),
         ("The media worker ended again and again and is started no more.",
          "See the log for why, then start the server anew."),
         ("Der Medienprozess endete immer wieder und wird nicht mehr gestartet.",
          "Im Protokoll nach dem Grund sehen, dann den Server neu starten.")),
    _row("media.lost", (None, 41, None), ("/TEMPFAILURE", "ConnectionCleared/networkOutOfOrder"),
         ("The audio of the call broke off.", "Check the far end's RTP; the trace shows the last packet."),
         ("Der Ton des Gesprächs riss ab.",
          "Das RTP der Gegenseite prüfen; der Mitschnitt zeigt das letzte Paket.")),
    _row("rate.limited", (503, 42, 429), ("/CONGESTION", _PERFORMANCE),
         ("Requests come faster than the limit allows.", "Send fewer a second; this is not about licences."),
         ("Anfragen kommen schneller als erlaubt.",
          "Weniger je Sekunde senden; mit Lizenzen hat das nichts zu tun."),
         retry_s=1),
    _row("subscriptions.exhausted", (503, 47, 503), ("/CONGESTION", "systemResourceAvailability/resourceBusy"),
         ("There are too many subscriptions[ of {account}].",
          "Let some end; each watched telephone is one."),
         ("Es gibt zu viele Abonnements[ von {account}].",
          "Einige enden lassen; jedes beobachtete Telefon ist eines."),
         retry_s=60),
    _row("server.overloaded", (503, 42, 503), ("/CONGESTION", _PERFORMANCE),
         ("The server is overloaded and sheds calls.", "Try again in a moment with less load."),
         ("Der Server ist überlastet und weist Anrufe ab.",
          "Gleich mit weniger Last wieder versuchen."), retry_s=5),
    _row("server.failed", (500, 41, 500), ("OPERATIONFAILED/TEMPFAILURE", "operation/generic"),
         ("The server failed at this request.", "Its log tells why; report what it says."),
         ("Der Server ist an dieser Anfrage gescheitert.", "Das Protokoll sagt, warum; das melden.")),
    _row("store.failed", (500, 41, 503), ("RESOURCEUNAVAIL/TEMPFAILURE", _RESOURCE),
         ("The store cannot be read or written[: {detail}].", "Look after its disk, then try again."),
         ("Der Speicher ist nicht zu lesen oder zu schreiben[: {detail}].",
          "Nach dem Datenträger sehen und wiederholen.")),
    _row("store.full", (500, 41, 507), ("RESOURCEUNAVAIL/TEMPFAILURE", _RESOURCE),
         ("The disk of the store is full.", "Make room on it; what was stored before is unharmed."),
         ("Der Datenträger des Speichers ist voll.",
          "Platz schaffen; was schon gespeichert war, ist unversehrt.")),
    _row("server.stopping", (503, 41, 503), ("/CONGESTION", _PERFORMANCE),
         ("The server is going down.", "Try again when it is back."),
         ("Der Server fährt herunter.", "Wieder versuchen, wenn er zurück ist."), retry_s=30),
    _row("mailbox.full", (486, 17, 409), ("", ""),
         ("The voicemail box[ of {user}] has no room for a message.", "Delete messages."),
         ("Die Voicemail-Box[ von {user}] hat keinen Platz.", "Nachrichten löschen.")),
    _row("pin.locked", (None, 21, 423), ("", ""),
         ("The voicemail box[ of {user}] is locked after too many wrong PINs.",
          "Have an administrator unlock it."),
         ("Die Voicemail-Box[ von {user}] ist nach falschen PINs gesperrt.",
          "Einen Administrator entsperren lassen.")),
    _row("pull.nothing", (404, 1, 409), ("INVALCALLSTATE", "stateIncompatibility/invalidConnectionState"),
         ("The user talks at no other telephone from where the call could come.",
          "Pull while a call with somebody stands at another of his telephones."),
         ("Der Benutzer spricht an keinem anderen Telefon, von dem das Gespräch kommen könnte.",
          "Heranholen, während an einem anderen seiner Telefone ein Gespräch besteht.")),
    _row("softphone_mobile.transport", (403, 21, None), ("", ""),
         ("A mobile softphone[ of {user}] registers over TCP or TLS only.",
          "Set the transport of its account to TLS."),
         ("Ein mobiles Softphone[ von {user}] meldet sich nur über TCP oder TLS an.",
          "Beim Konto als Transport TLS einstellen.")),
    _row("fax.engine_missing", (503, 47, 503), ("", ""),
         ("No fax engine is there: libspandsp is not installed.", "Install libspandsp2."),
         ("Keine Fax-Maschine da: libspandsp ist nicht installiert.", "libspandsp2 installieren.")),
    _row("package.signature", (None, None, 422), ("", ""),
         ("The licence file does not count: its signature is wrong.",
          "Use the unchanged file of a trusted issuer."),
         ("Die Lizenzdatei zählt nicht: die Signatur ist falsch.",
          "Die unveränderte Datei des Ausstellers nehmen.")),
    _row("package.expired", (None, None, 422), ("", ""),
         ("The licence file does not count: it has expired.", "Ask the issuer for a new one."),
         ("Die Lizenzdatei zählt nicht: sie ist abgelaufen.", "Beim Aussteller eine neue anfordern.")),
    _row("package.not_yet_valid", (None, None, 422), ("", ""),
         ("The licence file does not count: it is not valid yet.",
          "Wait for its first day or check the clock."),
         ("Die Lizenzdatei zählt nicht: sie gilt noch nicht.",
          "Den ersten Tag abwarten oder die Uhr prüfen.")),
    _row("package.invalid", (None, None, 422), ("", ""),
         ("The licence file does not count: it is not a package as it was issued[: {detail}].",
          "Get it again from its issuer."),
         ("Die Lizenzdatei zählt nicht: sie ist kein Paket, wie es ausgestellt wurde[: {detail}].",
          "Beim Aussteller noch einmal anfordern.")),
    _row("sound.unreadable", (None, None, 415), ("", ""),
         ("That is no sound that can be read.", "Send WAV, MP3, FLAC or Ogg."),
         ("Das ist kein lesbarer Ton.", "WAV, MP3, FLAC oder Ogg senden.")),
    _row("sound.too_large", (None, None, 413), ("", ""),
         ("The file is larger than 10 MB.", "Send a smaller one, for instance as Ogg."),
         ("Die Datei ist größer als 10 MB.", "Eine kleinere senden, etwa als Ogg.")),
    _row("sound.too_long", (None, None, 422), ("", ""),
         ("The sound is longer than two minutes.", "Send a shorter one."),
         ("Der Ton ist länger als zwei Minuten.", "Einen kürzeren senden.")),
    _row("sound.empty", (None, None, 422), ("", ""),
         ("There is no sound in it.", "Send what can be heard."),
         ("Es ist kein Ton darin.", "Etwas Hörbares senden.")),
    _row("speech.not_installed", (None, None, 501), ("", ""),
         ("Texts are not spoken here: the tts extra is not installed.", "Install it, or send a sound."),
         ("Texte werden hier nicht gesprochen: das Extra tts fehlt.", "Es installieren oder einen Ton senden.")),
    _row("speech.failed", (None, None, 503), ("", ""),
         ("The text could not be spoken.", "Try again, or send a sound."),
         ("Der Text ließ sich nicht sprechen.", "Noch einmal versuchen oder einen Ton senden.")),
    _row("call.rejected", (603, 21, 409), ("/REJECT", "Failed/destNotObtainable"),
         ("The called party declined the call.", "Call somebody else."),
         ("Der Angerufene hat den Anruf abgelehnt.", "Jemand anderen anrufen.")),
    _row("conference.full", (486, 17, 409), ("CONFERENCEFULL", f"{_SYSTEM}/conferenceMemberLimitExceeded"),
         ("So many cannot be in one conference[: {limit} at most].", "Let somebody leave first."),
         ("So viele passen nicht in eine Konferenz[: höchstens {limit}].", "Erst jemanden gehen lassen.")),
    _row("conference.not_two_calls", (480, 31, 409),
         ("INVALCALLSTATE", "stateIncompatibility/invalidConnectionState"),
         ("There is not one held and one active call of the user, in which he talks to others.",
          "Hold the one call, talk in the other one, and join them then."),
         ("Es gibt nicht ein gehaltenes und ein aktives Gespräch des Benutzers mit anderen.",
          "Das eine Gespräch halten, das andere führen und dann verbinden.")),
    _row("conference.other_user", (None, None, 409), ("INVALCALLHANDLE", "operation/invalidConnectionIdentifier"),
         ("No user takes part in both calls.", "Name two calls of one user."),
         ("Kein Benutzer nimmt an beiden Gesprächen teil.", "Zwei Gespräche eines Benutzers nennen.")),
    _row("pickup.nothing_rings", (480, 31, 409), ("CALLUNAVAIL", "stateIncompatibility/noCallToAnswer"),
         ("No call rings there that could be picked up.", "Dial the code while it rings."),
         ("Dort läutet kein Anruf, der zu übernehmen wäre.", "Die Kennzahl wählen, solange es läutet.")),
    _row("park.no_call", (480, 31, 409), ("INVALCALLSTATE", "stateIncompatibility/noHeldCall"),
         ("There is no call to park or to take: none is held, and none waits there.",
          "Hold a call and park it then; take one while it waits."),
         ("Kein Anruf ist zu parken oder zu holen: keiner wird gehalten, und dort wartet keiner.",
          "Einen Anruf halten und dann parken; einen holen, solange er wartet.")),
    _row("park.full", (486, 17, 409), ("RESOURCEUNAVAIL/BUSY", "systemResourceAvailability/resourceBusy"),
         ("No slot is free to park a call in[: one waits in {slot}].", "Take one, or park in another slot."),
         ("Kein Platz zum Parken ist frei[: in {slot} wartet ein Anruf].",
          "Einen holen oder einen anderen Platz nehmen.")),
    _row("call.cancelled", (487, 16, None), ("/CANCELLED", "ConnectionCleared/callCancelled"),
         ("The caller gave up before it was answered.", "Nothing needs to be done."),
         ("Der Anrufer legte vor dem Melden auf.", "Nichts ist zu tun.")),
    _row("auth.required", (401, None, 401), ("", "security/generic"),
         ("Nobody was authenticated.", "Send the account's password or a bearer token."),
         ("Niemand hat sich ausgewiesen.", "Passwort des Kontos oder ein Token senden.")),
    _row("auth.forbidden", (403, 21, 403), ("", "security/generic"),
         ("The account may not do that.", "Use an account that may."),
         ("Das Konto darf das nicht.", "Ein berechtigtes Konto benutzen.")),
    _row("auth.banned", (403, 21, 403), ("", "security/generic"),
         ("Too many wrong passwords came from this address.",
          "Wait ten minutes; other addresses can use the account meanwhile."),
         ("Von dieser Adresse kamen zu viele falsche Passwörter.",
          "Zehn Minuten warten; von anderen Adressen geht das Konto weiterhin.")),
    _row("request.invalid", (400, None, 422), ("", "operation/generic"),
         ("The request cannot be understood[: {detail}].", "Correct it and send it again."),
         ("Die Anfrage ist nicht zu verstehen[: {detail}].", "Berichtigen und neu senden.")),
    _row("not_found", (404, 1, 404), ("", "operation/generic"),
         ("That does not exist[: {detail}].", "Check the name in the list it belongs to."),
         ("Das gibt es nicht[: {detail}].", "Den Namen in der zugehörigen Liste prüfen.")),
)
# fmt: on

REASONS: Mapping[str, Reason] = MappingProxyType({row.code: row for row in _ROWS})
"""Every row by its code."""


def _as_number(code: str, sip: int, cause: int) -> Reason:
    return replace(REASONS[code], sip_status=sip, q850_cause=cause, q850_text=_Q850_TEXTS[cause])


_OF_FUNCTION: Mapping[tuple[str, object], Reason] = {
    # A mailbox or fax number that is switched off is no number at all.
    ("function.not_configured", "voicemail"): _as_number("function.not_configured", 404, 1),
    ("function.not_configured", "fax"): _as_number("function.not_configured", 404, 1),
    # T.38 that the far end refuses is a matter of the device, not of a codec.
    ("media.incompatible", "fax"): _as_number("media.incompatible", 488, 88),
}
