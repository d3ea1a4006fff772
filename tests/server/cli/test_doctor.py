"""`ringfence doctor`: one sentence for each thing that is in the way, with its remedy, and exit 1."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import timedelta
from time import time
from typing import TYPE_CHECKING

import pytest

from ringfence.fixtures.plugin import read_site
from ringfence.server.cli import doctor
from ringfence.server.net import certificate as certificate_room
from ringfence.server.net.certificate import CERTIFICATE, KEY, OwnCertificate
from ringfence.server.net.dns_records import DnsRecords
from ringfence.server.net.udp import RECEIVE_BUFFER_BYTES
from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.store import Store

from .command import one_sentence, ringfence

if TYPE_CHECKING:
    from pathlib import Path

FREE = ("--sip-port", "0", "--sips-port", "0", "--http-port", "0")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that is as it should be."""
    buffers = tmp_path / "rmem_max"
    buffers.write_text(f"{RECEIVE_BUFFER_BYTES}\n")
    monkeypatch.setattr(doctor, "RMEM_MAX", buffers)
    monkeypatch.setattr(doctor, "_most_files", lambda: 1_000_000)
    return buffers


def found(*words: object) -> list[tuple[str, str]]:
    result = ringfence("doctor", *FREE, *words, "--json")
    findings = [(one["check"], one["sentence"]) for one in json.loads(result.stdout_bytes)]
    assert result.exit_code == (1 if findings else 0), result.output
    return findings


async def no_records(*_: object) -> list[object]:
    """What DNS says of a name that nobody has."""
    return []


def test_a_machine_that_is_well_is_told_so_with_exit_0() -> None:
    result = ringfence("doctor", *FREE)
    assert result.exit_code == 0
    assert result.stdout == "Nothing is in the way of a server with 4 IP channels at 127.0.0.1.\n"
    assert found() == []


def test_small_buffers_are_told_with_the_sysctl(machine: Path) -> None:
    machine.write_text("212992\n")
    ((check, sentence),) = found()
    assert check == "receive_buffer"
    assert "at most 212992 bytes" in sentence
    assert f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}" in sentence
    machine.unlink()
    assert found() == [], "a system that does not say is not complained of"


def test_a_low_file_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_most_files", lambda: 1024)
    ((check, sentence),) = found()
    assert check == "file_limit"
    assert sentence.startswith("A process may have at most 1024 files open here, and ")
    assert "ulimit -Hn" in sentence
    monkeypatch.setattr(doctor, "_most_files", lambda: None)
    assert found() == []


def test_a_channel_may_need_a_file_for_rtp_and_one_for_rtcp() -> None:
    """RFC 3550, 11."""
    assert list(doctor.too_few_files(20_256, 10_000)) == []
    ((_, sentence),) = doctor.too_few_files(20_255, 10_000)
    assert "20256 may be needed" in sentence


@pytest.mark.parametrize(
    ("ports", "few"), [("20000-20005", True), ("20001-20008", False), ("20000-20006", False)]
)
def test_fewer_even_ports_than_channels_are_told(ports: str, few: bool) -> None:
    """RTP uses the even ports (RFC 3550 11), and the sample company has four IP channels."""
    findings = found("--rtp-ports", ports)
    assert [check for check, _ in findings] == (["rtp_ports"] if few else [])
    assert not few or "has 3 even ports and the licences have 4 IP channels" in findings[0][1]


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        (socket.SOCK_DGRAM, "--sip-port"),
        (socket.SOCK_STREAM, "--sip-port"),
        (socket.SOCK_STREAM, "--sips-port"),
        (socket.SOCK_STREAM, "--http-port"),
    ],
)
def test_a_port_in_use_is_told_with_its_option(kind: socket.SocketKind, option: str) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        ((check, sentence),) = found(option, taken.getsockname()[1])
    assert check == "port"
    assert " is in use; end the process that holds it" in sentence
    assert sentence.endswith(f"by {option}.")


def test_everything_is_told_at_once_a_sentence_a_line(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write_text("1\n")
    monkeypatch.setattr(doctor, "_most_files", lambda: 1)
    result = ringfence("doctor", *FREE, "--rtp-ports", "20000-20001")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 3
    assert all(line.endswith(".") for line in result.stdout.splitlines())


def own_certificate(folder: Path) -> Path:
    asyncio.run(OwnCertificate(folder, ("127.0.0.1",))())
    return folder / CERTIFICATE


def test_a_certificate_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    certificate = own_certificate(tmp_path)
    key = certificate.with_name(KEY)
    assert found("--tls-cert", certificate, "--tls-key", key) == []
    ((check, sentence),) = found("--tls-cert", key, "--tls-key", certificate)
    assert check == "certificate"
    assert sentence.startswith(f"{key} cannot be used with {certificate} ")
    assert "belong together" in one_sentence("doctor", *FREE, "--tls-key", key)


def test_a_certificate_that_is_over_soon_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the store, too, which the next start would make anew."""
    monkeypatch.setattr(certificate_room, "LASTS", timedelta(days=5))
    folder = tmp_path / "given"
    folder.mkdir()
    given = own_certificate(folder)
    ((check, sentence),) = found("--tls-cert", given, "--tls-key", given.with_name(KEY))
    assert check == "certificate"
    assert sentence.startswith(f"{given} is valid until 2")
    assert sentence.endswith(" UTC only; give another by --tls-cert and --tls-key.")
    store = tmp_path / "store"
    Store.open(store, Opening(Site.sample("small"), time())).close()
    assert found("--data", store) == []
    own_certificate(store)
    ((_, sentence),) = found("--data", store)
    assert sentence.endswith(" UTC only; delete it, and the next start makes a new one.")


def test_a_trunk_whose_name_leads_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 3263 4; an address and a name of the file of hosts are well."""
    monkeypatch.setattr(DnsRecords, "_ask", no_records)
    text, site = read_site("small").text, tmp_path / "site.toml"
    for uri, lost in (("192.0.2.7", False), ("localhost", False), ("nobody.example", True)):
        site.write_text(text.replace('08955550"\n', f'08955550"\nuri = "sip:{uri}"\n'))
        sentence = (
            'The trunk "amt" is found nowhere: no address is found for nobody.example; '
            "check its uri and the DNS of this machine."
        )
        assert found(site) == ([("trunk", sentence)] if lost else [])


def test_a_wrong_command_line_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    assert "is no range of ports" in one_sentence("doctor", "--rtp-ports", "x")
    assert "--sip-port 70000 is no port" in one_sentence("doctor", "--sip-port", "70000")
    assert "nowhere.toml" in one_sentence("doctor", *FREE, tmp_path / "nowhere.toml")
