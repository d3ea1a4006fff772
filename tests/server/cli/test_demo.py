from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import typer
from rich.console import Console

from ringfence.channels.network import Address
from ringfence.server.app import Options
from ringfence.server.cli.demo import judge
from ringfence.server.cli.demo_audience import Lines, scene_rows, watching
from ringfence.server.cli.demo_tables import show, show_invitation
from ringfence.server.demo.cast import CastError
from ringfence.server.demo.company import Company, SceneError
from ringfence.server.demo.invitation import invite
from ringfence.server.demo.outcome import Explanation, Outcome, Performance
from ringfence.server.demo.play import play
from ringfence.server.demo.scenes import ACTS, Happened, Scene
from ringfence.server.net.memory import MemoryNetwork
from ringfence.server.net.udp import UdpNetwork
from ringfence.server.phones.phone import Account, Phone
from ringfence.server.phones.refused import Refused
from ringfence.server.site.site import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from ringfence.licensing.overview import PoolCounts

SCENES = [scene for act in ACTS for scene in act]


class Notes:
    """An audience that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def began(self, scene: Scene) -> None:
        self.told.append(f"began {scene.title}")

    def ended(self, outcome: Outcome) -> None:
        self.told.append(f"ended {outcome.scene}")


async def start(site: Site, seed: int = 1) -> Company:
    return await Company.start(
        site, Options(http_port=None, seed=seed, in_process=True, network=MemoryNetwork())
    )


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    company = await start(Site.sample())
    try:
        yield company
    finally:
        await company.stop()


def by_scene(performance: Performance) -> dict[str, Outcome]:
    return {outcome.scene: outcome for outcome in performance.outcomes}


@pytest.mark.virtual_time
async def test_every_scene_comes_out_as_expected(company: Company) -> None:
    notes = Notes()
    performance = await play(company, notes)
    assert performance.failed == ()
    assert [one.scene for one in performance.outcomes] == [scene.title for scene in SCENES]
    assert sorted(notes.told) == sorted(
        f"{word} {one.title}" for one in SCENES for word in ("began", "ended")
    )


@pytest.mark.virtual_time
async def test_the_fifth_caller_on_four_channels_is_refused_with_its_reason(company: Company) -> None:
    outcome = by_scene(await play(company, Notes()))["One caller too many"]
    assert outcome.refused is not None
    assert (outcome.refused.status, outcome.refused.cause) == (503, 34)
    assert outcome.refused.reason == "ip_channel.exhausted"
    decision = company.pbx.decisions.get(outcome.refused.decision or "")
    assert decision is not None
    assert decision.refusal.facts == {"used": 4, "limit": 4}


@pytest.mark.virtual_time
async def test_one_refusal_is_explained_step_by_step_and_ends_with_its_remedy(company: Company) -> None:
    explanation = (await play(company, Notes())).explanation
    assert explanation is not None
    assert company.cast.refused.name in explanation.what
    assert "Office Plus has room for 16 only." in " ".join(explanation.sentences)
    assert "Buy Office Plus" in explanation.sentences[-1]


@pytest.mark.virtual_time
async def test_afterwards_no_channel_is_occupied_and_no_phone_is_registered(company: Company) -> None:
    await play(company, Notes())
    pbx, cast = company.pbx, company.cast
    assert [pool.used for pool in pbx.pools] == [0, 0]
    for account in (cast.caller.name, cast.called.name, cast.reached.extension, cast.box_owner.extension):
        assert pbx.registrar.bindings(account, pbx.clock.now()) == []


@pytest.mark.virtual_time
async def test_the_same_seed_plays_the_same_performance() -> None:
    played: list[dict[str, object]] = []
    for _ in range(2):
        company = await start(Site.sample(), seed=7)
        played.append((await play(company, Notes())).as_dict())
        await company.stop()
    first, second = ({key: one[key] for key in ("scenes", "explanation", "licences")} for one in played)
    assert first == second


@pytest.mark.virtual_time
async def test_nobody_has_two_parts(company: Company) -> None:
    cast = company.cast
    parts = (
        cast.reached,
        cast.caller,
        cast.called,
        cast.refused,
        cast.box_owner,
        cast.move.user,
        cast.move.waiting,
    )
    assert len({user.name for user in parts}) == len(parts)


@pytest.mark.virtual_time
async def test_a_site_in_which_nobody_waits_has_no_cast_and_the_server_is_stopped() -> None:
    site = Site.sample()
    network = MemoryNetwork()
    options = Options(http_port=None, seed=1, in_process=True, network=network)
    with pytest.raises(CastError, match="nobody waits for Office Plus"):
        await Company.start(replace(site, entitlements={**site.entitlements, "office_plus": 99}), options)
    assert network.endpoints == {}


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"trunks": ()}, "needs a \\[\\[trunk\\]\\]"),
        ({"attendants": ()}, "an \\[\\[auto_attendant\\]\\]"),
    ],
)
async def test_a_site_without_what_the_scenes_need_says_what_to_add(
    company: Company, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CastError, match=sentence):
        await start(replace(company.pbx.site, **change))


@pytest.mark.virtual_time
async def test_a_scene_on_a_site_without_free_channels_comes_out_otherwise(company: Company) -> None:
    company.pbx.pools.ip_channel.limit = 0
    performance = await play(company, Notes())
    outcomes = by_scene(performance)
    assert not outcomes["Menu digit that transfers"].as_expected
    assert "503, ip_channel.exhausted" in outcomes["Voicemail left and heard"].happened
    assert outcomes["Softphone call"].as_expected


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SceneError("no such thing"), "no such thing"),
        (TimeoutError(), "something awaited did not happen in time"),
        (OSError(99, "Cannot assign requested address"), "Cannot assign requested address"),
    ],
)
async def test_a_scene_that_cannot_go_on_is_a_failed_outcome(
    company: Company, error: Exception, told: str
) -> None:
    async def stumbles(_: Company) -> Happened:
        raise error

    performance = await play(company, Notes(), [(Scene("Stumbling", "to walk", stumbles),)])
    [outcome] = performance.failed
    assert told in outcome.happened
    assert not performance.as_dict()["as_expected"]


def performance_of(*outcomes: Outcome) -> Performance:
    explanation = Explanation("d-1", "registration of emil", ("The server is licensed.", "No seat is left."))
    counts: dict[str, PoolCounts] = {"office": {"bought": 2, "required": 3, "assigned": 2, "missing": 1}}
    return Performance("Musterfirma", outcomes, counts, explanation, 1.5)


GOOD = Outcome("One too many", "503", "refused", True, Refused(503, 34, "ip_channel.exhausted", "d-1"))
BAD = Outcome("Call", "both hear", "[silence]", False)


def test_the_tables_show_refusal_licences_and_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    show(performance_of(GOOD, BAD))
    printed = capsys.readouterr().out
    for words in (
        "SIP 503, Q.850 cause 34, ip_channel.exhausted, d-1",
        "[silence]",
        "Licences of Musterfirma",
        "1. The server is licensed.",
        "1 of 2 scenes came out otherwise",
    ):
        assert words in printed


@pytest.mark.virtual_time
async def test_the_invitation_names_accounts_and_numbers_that_work(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    invitation = invite(company)
    show_invitation(invitation)
    printed = capsys.readouterr().out
    assert str(company.pbx.sip) in printed
    assert company.pbx.token in printed
    seats = {seat.account: seat for seat in invitation.seats}
    phone = await company.softphone(company.cast.called)
    assert seats[phone.account].password == company.cast.called.password
    for number in ("9900", "200"):
        assert number in invitation.numbers
        call = await phone.dial(number)
        await call.answered()
        await call.hang_up()


def test_without_a_terminal_each_scene_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(SCENES, quiet=False) as audience:
        assert isinstance(audience, Lines)
        audience.began(SCENES[0])
        audience.ended(GOOD)
        audience.ended(BAD)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{SCENES[0].title} …", "One too many: as expected", "Call: NOT both hear"]


def test_beside_json_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(SCENES, quiet=True) as audience:
        audience.began(SCENES[0])
        audience.ended(BAD)
    assert capsys.readouterr().out == ""


def test_a_terminal_shows_a_row_for_each_scene_with_a_mark() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=80)
    scenes = [Scene(BAD.scene, BAD.expected, SCENES[0].play), SCENES[1]]
    with scene_rows(console, scenes) as display:
        for scene in scenes:
            display.began(scene)
        display.ended(BAD)
        display.ended(replace(GOOD, scene=SCENES[1].title))
        rows = display.progress.tasks
    assert [(row.description, row.finished) for row in rows] == [(one.title, True) for one in scenes]
    assert [row.fields["mark"] for row in rows] == ["[red]✗[/]", "[green]✓[/]"]


def test_the_first_scene_that_failed_is_named_and_the_exit_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    judge(performance_of(GOOD))
    with pytest.raises(typer.Exit) as ended:
        judge(performance_of(GOOD, BAD))
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "ringfence: Call: expected both hear, but [silence]\n"


Processes = dict[str, subprocess.Popen[str]]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """Two demonstrations in real time, played beside each other: one that ends, one that is kept."""
    command = [sys.executable, "-c", "from ringfence.server.cli import main; main()", "demo", "--json"]
    started = {
        name: subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for name, options in {"once": ["--seed", "1"], "kept": ["--keep"]}.items()
    }
    yield started
    for process in started.values():
        if process.returncode is None:
            process.kill()
            process.communicate()


def test_ringfence_demo_places_real_calls_and_exits_0(processes: Processes) -> None:
    out, err = processes["once"].communicate(timeout=90)
    told = json.loads(out)
    assert [one["happened"] for one in told["scenes"] if not one["as_expected"]] == []
    assert len(told["scenes"]) == len(SCENES)
    assert (err, processes["once"].returncode) == ("", 0)


async def test_a_kept_company_serves_phones_and_http_until_it_is_interrupted(processes: Processes) -> None:
    process = processes["kept"]
    assert process.stdout is not None
    told = json.loads("".join(lines_of_object(process.stdout)))["keep"]
    host, _, port = told["sip"].partition(":")
    seat = told["seats"][0]
    account = Account(seat["account"], told["domain"], seat["password"])
    phone = await Phone.start(UdpNetwork(), Address(host, int(port)), account)
    assert (await phone.register()).status == 200
    await phone.stop()
    async with aiohttp.request("GET", f"{told['http']}/livez") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (err, process.returncode) == ("", 0)


def lines_of_object(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines up to the one that closes a JSON object."""
    for line in lines:
        yield line
        if line == "}\n":
            return
