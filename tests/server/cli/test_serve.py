from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from ringfence.channels.network import Address
from ringfence.server.cli import application
from ringfence.server.net.certificate import CERTIFICATE, KEY
from ringfence.server.net.udp import UdpNetwork
from ringfence.server.phones.phone import Account, Phone
from ringfence.server.site.acts import ImportPackage
from ringfence.server.site.site import Site
from ringfence.server.store.opening import Opening
from ringfence.server.store.reading import stored_holdings
from ringfence.server.store.store import Store

from ..issued import issued
from .command import json_of, one_sentence, ringfence

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = str(files("ringfence") / "fixtures" / "sites" / "small.toml")
FREE_PORTS = ("--sip-port", "0", "--sips-port", "0", "--http-port", "0")
NOT_WHEN_READY = {
    "alembic",
    "numpy",
    "aiosmtpd",
    "aiosmtplib",
    "jinja2",
    "prometheus_client",
    "cryptography",
    "pytest",
}


def command(*words: object) -> list[str]:
    return [str(Path(sys.executable).with_name("ringfence")), *map(str, words)]


def refused(*words: object) -> str:
    """The one sentence with which a start ends that cannot be."""
    line = command("serve", *words)
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.startswith("ringfence: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@contextmanager
def serving(*words: object, log: str = "") -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running server and what its ready line says; it must end cleanly with just `log` in its log."""
    line = command("serve", "--json", *FREE_PORTS, *words)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            yield process, json.loads(ready)
        finally:
            process.send_signal(signal.SIGTERM)
            out, told = process.communicate(timeout=60)
    assert (process.returncode, out, told) == (0, "", log)


def ask(ready: dict[str, Any], path: str, method: str = "GET", body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {ready['token']}"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(ready["http"] + path, data, headers, method=method), timeout=10) as answer:  # noqa: S310 - our own
        return json.load(answer)


def test_the_first_line_tells_where_everything_listens_and_null_for_doors_not_built() -> None:
    with serving(SMALL, "--csta-port", 0, "--smtp-port", 0) as (_, ready):
        assert ready["event"] == "ready"
        assert re.fullmatch(r"127\.0\.0\.1:\d+", ready["sip"])
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ready["http"])
        assert re.fullmatch(r"127\.0\.0\.1:\d+", ready["sips"])
        assert (ready["csta"], ready["smtp"]) == (None, None)
        assert [user["name"] for user in ask(ready, "/api/v1/users")][:2] == ["anna", "ben"]


def test_the_given_token_counts() -> None:
    with serving(SMALL, "--admin-token", "s3cret") as (_, ready):
        assert ready["token"] == "s3cret"
        assert ask(ready, "/api/v1/calls") == []


def test_sigint_ends_it_as_cleanly_as_sigterm() -> None:
    with serving(SMALL) as (process, _):
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_fewer_rtp_ports_than_channels_are_told_at_the_start() -> None:
    """RTP takes an even port for each leg (RFC 3550 11); the small site has four channels."""
    told = "--rtp-ports has 3 even ports and the licences have 4 IP channels; give a range of at least 8 ports.\n"
    with serving(SMALL, "--rtp-ports", "29000-29005", log=told):
        pass


async def test_at_the_end_live_calls_get_a_bye() -> None:
    with serving(SMALL) as (process, ready):
        host, _, port = ready["sip"].rpartition(":")
        account = Account("100", "klein.example", "Anna-1000-Apfel")
        phone = await Phone.start(UdpNetwork(), Address(host, int(port)), account)
        call = await phone.dial("9900")
        await call.answered()
        process.send_signal(signal.SIGTERM)
        await call.ended()
        await phone.stop()


async def test_a_server_at_an_ipv6_address_is_heard_and_asked_there() -> None:
    """RFC 5118; the media worker is there as well."""
    with serving(SMALL, "--host", "::1") as (_, ready):
        assert all(ready[door].startswith("[::1]:") for door in ("sip", "sips"))
        port = int(ready["sip"].rpartition(":")[2])
        account = Account("100", "klein.example", "Anna-1000-Apfel")
        phone = await Phone.start(UdpNetwork(), Address("::1", port), account, host="::1")
        call = await phone.dial("9901")
        await call.hear_tone(440)
        await call.hang_up()
        await phone.stop()
        assert ask(ready, "/api/v1/calls") == []


def test_without_a_site_it_serves_the_sample_company_and_prints_its_accounts() -> None:
    line = command("serve", *FREE_PORTS)
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"}
    ) as process:
        assert process.stdout is not None
        told = "".join(_until(process.stdout, "Ctrl+C"))
        process.terminate()
    assert process.returncode == 0
    assert "Accounts of Musterfirma" in told
    assert re.search(r"100 .* anna .* Anna-", told)


def _until(lines: Any, last: str) -> Iterator[str]:
    for line in lines:
        yield line
        if last in line:
            return


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        (socket.SOCK_DGRAM, "--sip-port"),
        (socket.SOCK_STREAM, "--sip-port"),
        (socket.SOCK_STREAM, "--sips-port"),
        (socket.SOCK_STREAM, "--http-port"),
    ],
)
def test_a_port_in_use_is_named_with_its_option_and_nothing_is_written(
    kind: socket.SocketKind, option: str, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        sentence = refused(SMALL, *FREE_PORTS, option, port, "--data", tmp_path / "data")
    assert f"port {port} " in sentence
    assert option in sentence
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tls-cert", SMALL, "--tls-key", SMALL], "small.toml cannot be used with "),
        (["--tls-cert", "absent.pem", "--tls-key", SMALL], "absent.pem cannot be read "),
        (["--tls-cert", "cert.pem"], "--tls-cert and --tls-key belong together"),
        (["--tls-key", "key.pem"], "--tls-cert and --tls-key belong together"),
    ],
)
def test_a_bad_certificate_is_told_and_nothing_is_written(
    words: list[str], told: str, tmp_path: Path
) -> None:
    assert told in refused(SMALL, *FREE_PORTS, *words, "--data", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_the_given_certificate_is_shown_by_tls_and_else_an_own_one_that_is_kept(tmp_path: Path) -> None:
    shown = []
    with serving(SMALL, "--data", tmp_path / "data") as (_, ready):
        shown.append(_shown(ready["sips"]))
    own = tmp_path / "data" / CERTIFICATE
    assert own.read_text() == shown[0]
    words = ("--tls-cert", own, "--tls-key", own.with_name(KEY))
    for more in ((), words, ("--data", tmp_path / "data")):
        with serving(SMALL, *more) as (_, ready):
            shown.append(_shown(ready["sips"]))
    assert shown[1] != shown[0], "without --data it is a new one each time"
    assert shown[2:] == [shown[0], shown[0]]


def _shown(sips: str) -> str:
    host, _, port = sips.rpartition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=10)


def test_a_bad_site_file_is_told_with_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(
        Path(SMALL).read_text(encoding="utf-8").replace("ip_channel", "ip_chanel"), encoding="utf-8"
    )
    line = 1 + bad.read_text(encoding="utf-8").splitlines().index("ip_chanel = 4")
    sentence = refused(bad, *FREE_PORTS, "--data", tmp_path / "data")
    assert f"bad.toml, line {line}:" in sentence
    assert '"ip_channel"' in sentence
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--licence", "more.lic"], "more.lic"),
        (["--database", "postgresql://anna:secret@db/x"], "--data"),
        (["--host", "0.0.0.0"], "--admin-token"),
        (["--rtp-ports", "20000"], "20000-29999"),
        (["--rtp-ports", "30000-20000"], "30000-20000"),
        (["--rtp-ports", "20000-70000"], "20000-70000"),
        (["--rtp-ports", "٢٠٠٠٠-29999"], "--rtp-ports"),
        (["--admin-token", ""], "--admin-token"),
        (["--admin-token", "two words"], "--admin-token"),
    ],
)
def test_what_cannot_be_is_one_sentence_with_the_remedy(words: list[str], told: str) -> None:
    line = ["serve", SMALL, *words]
    result = CliRunner().invoke(application(line), line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    assert "secret" not in result.stderr


def test_a_host_that_is_not_ours_is_told() -> None:
    assert "--host 192.0.2.1" in refused(SMALL, *FREE_PORTS, "--host", "192.0.2.1", "--admin-token", "x")


def test_with_data_the_store_is_the_truth_after_the_first_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(SMALL, "--data", data) as (_, ready):
        pin = ask(ready, "/api/v1/users/dora")["voicemail_pin"]
        ask(ready, "/api/v1/users/anna", "PATCH", {"location": "Haus", "group": "Lager"})
        assert "another server" in refused(SMALL, *FREE_PORTS, "--data", data)
    for words in ([SMALL], []):
        with serving(*words, "--data", data) as (_, ready):
            assert ask(ready, "/api/v1/users/anna")["group"] == "Lager"
            assert ask(ready, "/api/v1/users/dora")["voicemail_pin"] == pin


def test_l06_a_changed_file_needs_apply_site_which_lists_what_is_deleted_first(tmp_path: Path) -> None:
    data, changed = tmp_path / "data", tmp_path / "changed.toml"
    text = Path(SMALL).read_text(encoding="utf-8")
    changed.write_text(text.replace('"presence", "voicemail"]', '"presence"]'), encoding="utf-8")
    with serving(SMALL, "--data", data):
        pass
    assert "--apply-site" in refused(changed, *FREE_PORTS, "--data", data)
    line = command("serve", changed, *FREE_PORTS, "--data", data, "--apply-site")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "Kleinbetrieb" in process.stdout.readline()
        process.terminate()
        _, told = process.communicate(timeout=30)
    assert told.splitlines()[0].startswith("deleted: voicemail_pin, forward.no_answer of clara")


def test_apply_site_with_dry_run_tells_who_loses_what_and_changes_nothing(tmp_path: Path) -> None:
    data, changed = tmp_path / "data", tmp_path / "changed.toml"
    text = Path(SMALL).read_text(encoding="utf-8")
    changed.write_text(text.replace('"presence", "voicemail"]', '"presence"]'), encoding="utf-8")
    Store.open(data, Opening(Site.read(SMALL), at=0.0)).close()
    words = ("serve", changed, "--data", data, "--apply-site", "--dry-run")
    told = ringfence(*words)
    assert told.exit_code == 0
    assert "deleted: voicemail_pin, forward.no_answer of clara" in told.stderr
    assert "clara loses personal settings: voicemail_pin, forward.no_answer." in told.stdout
    assert "clara loses licences: voicemail." in told.stdout
    assert json_of(*words)["users"][0]["user"] == "clara"
    assert "give --apply-site" in one_sentence("serve", changed, "--data", data, "--dry-run")
    assert stored_holdings(data).site.text == text


def test_a_dry_run_of_the_first_start_tells_what_would_be_imported(tmp_path: Path) -> None:
    file = tmp_path / "more.lic"
    file.write_bytes(issued("more", office=10))
    told = json_of("serve", SMALL, "--data", tmp_path / "data", "--licence", file, "--dry-run")
    assert [one["event"] for one in told["events"]][:1] == ["site.imported"]
    assert "package.imported" in [one["event"] for one in told["events"]]
    assert not (tmp_path / "data").exists()
    assert "name its directory by --data" in one_sentence("serve", SMALL, "--dry-run")


def test_a_package_counts_at_each_start_even_after_it_has_expired(tmp_path: Path) -> None:
    """L-11: stored once; from the instant at which it expires it has no effect, and the server runs."""
    data, file = tmp_path / "data", tmp_path / "more.lic"
    file.write_bytes(issued("more", until="2023-12-31", office_plus=10))
    act = ImportPackage(file.read_bytes())
    Store.open(data, Opening(Site.read(SMALL), at=1_700_000_000.0, packages=(act,))).close()
    with serving(SMALL, "--data", data, "--licence", file) as (_, ready):
        told = ask(ready, "/api/v1/licences/overview")
    assert [one["state"] for one in told["packages"]] == ["expired"]
    assert told["pools"]["office_plus"]["bought"] == 2
    assert "package.expired" in [one["code"] for one in told["warnings"]]


def test_licences_of_the_developer_key_are_told_when_it_is_ready(tmp_path: Path) -> None:
    file = tmp_path / "more.lic"
    file.write_bytes(issued("more", office_plus=10))
    with subprocess.Popen(
        command("serve", SMALL, *FREE_PORTS, "--licence", file), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = "".join(_until(process.stdout, "Ctrl+C"))
        process.terminate()
    assert process.returncode == 0
    assert "developer key" in told


def test_a_bad_package_leaves_a_store_as_it_is_even_with_apply_site(tmp_path: Path) -> None:
    data, changed, file = tmp_path / "data", tmp_path / "changed.toml", tmp_path / "old.lic"
    text = Path(SMALL).read_text(encoding="utf-8")
    changed.write_text(text.replace('"presence", "voicemail"]', '"presence"]'), encoding="utf-8")
    file.write_bytes(issued("old", until="2021-01-01", fax=1))
    Store.open(data, Opening(Site.read(SMALL), at=0.0)).close()
    sentence = refused(changed, *FREE_PORTS, "--data", data, "--apply-site", "--licence", file)
    assert f"{file}: The package old expired with 2021-01-01" in sentence
    assert stored_holdings(data).site.text == text


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc, which is Linux's")
def test_an_idle_server_holds_less_than_100_megabytes_and_may_open_every_file() -> None:
    with serving(SMALL) as (process, _):
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
    resident_kb = re.search(r"VmRSS:\s+(\d+)", status)
    soft_hard = re.search(r"Max open files\s+(\S+)\s+(\S+)", limits)
    assert resident_kb is not None
    assert int(resident_kb[1]) < 100 * 1024
    assert soft_hard is not None
    assert soft_hard[1] == soft_hard[2]


def test_what_is_not_needed_is_not_imported_when_it_is_ready() -> None:
    line = [sys.executable, "-X", "importtime", *command("serve", SMALL, "--json", *FREE_PORTS)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        process.kill()
        _, told = process.communicate(timeout=30)
    assert json.loads(ready)["event"] == "ready"
    modules = {row.rpartition("|")[2].strip() for row in told.splitlines() if row.startswith("import time:")}
    assert "ringfence.server.switch.switch" in modules
    assert "aiohttp.web" in modules
    assert not {module for module in modules if module.partition(".")[0] in NOT_WHEN_READY}
    assert not {
        module
        for module in modules
        if module.startswith(("rich.", "ringfence.server.phones", "ringfence.fixtures"))
    }
