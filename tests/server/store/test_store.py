from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from ringfence.features.telephone.settings import Forward
from ringfence.server.site.acts import (
    BindLine,
    ChangeUser,
    CreateLocation,
    CreateUser,
    DeleteUser,
    DuplicateLocation,
    ImportPackage,
    MoveUser,
    ReleaseLine,
    SetSetting,
    SwitchFunctions,
)
from ringfence.server.site.personal import Deletion
from ringfence.server.site.site import SiteError
from ringfence.server.store.audit import verify
from ringfence.server.store.failure import StoreError
from ringfence.server.store.opening import Opening
from ringfence.server.store.reading import read, stored_holdings
from ringfence.server.store.store import Store
from ringfence.server.store.tokens import Token

from ..desks import AT, desk_of
from ..issued import issued

if TYPE_CHECKING:
    from ringfence.server.site.merge import Merge
    from ringfence.server.site.site import Site


def sql(data: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(data / "ringfence.sqlite")
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_the_first_start_imports_the_file_and_later_ones_read_the_store(data: Path, site: Site) -> None:
    first = Store.open(data, Opening(site, at=AT))
    first.close()
    assert first.holdings.site == site
    again = Store.open(data, Opening(site, at=AT))
    again.close()
    assert again.holdings.site == site
    assert again.merge is None


def test_without_a_file_the_store_is_enough(data: Path, site: Site) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    store = Store.open(data, Opening(None, at=AT))
    store.close()
    assert store.holdings.site == site


@pytest.mark.parametrize("inline", [True, False])
def test_without_a_data_directory_nothing_is_left(site: Site, inline: bool) -> None:
    store = Store.open(None, Opening(site, at=AT), inline=inline)
    assert store.messages_dir.is_dir()
    store.close()
    assert not store.messages_dir.parent.exists()


def test_in_virtual_time_no_database_file_and_no_thread_is_used(site: Site) -> None:
    store = Store.open(None, Opening(site, at=AT), inline=True)
    assert not list(store.messages_dir.parent.glob("*.sqlite"))
    store.close()


async def test_changes_outlive_the_server_and_sequence_numbers_stay(data: Path, site: Site) -> None:
    """A-01, L-08"""
    store = Store.open(data, Opening(site, at=AT))
    desk = desk_of(store)
    await desk.start()
    pin = desk.directory.users[1].voicemail_pin
    await desk.apply(MoveUser("anna", "Ulm", "Lager"))
    await desk.apply(SwitchFunctions("Ulm", "Erbe", frozenset({"fax"})), SwitchFunctions("Ulm", "Plus", None))
    await desk.apply(SwitchFunctions("Ulm", None, frozenset({"cti", "voicemail"})))
    store.close()
    again = Store.open(data, Opening(site, at=AT))
    again.close()
    assert again.holdings == desk.holdings
    anna, ben = again.holdings.site.users
    assert (anna.group, anna.voicemail_pin, anna.forward, anna.seq) == ("Lager", None, None, 1)
    assert pin is not None
    assert ben.voicemail_pin == pin
    assert pin not in str(sql(data, "SELECT detail FROM audit"))


async def test_everything_that_is_held_comes_back_as_it_was(data: Path, site: Site) -> None:
    """L-09, L-42, L-63, L-64"""
    store = Store.open(data, Opening(site, at=AT))
    desk = desk_of(store)
    await desk.start()
    await desk.apply(
        CreateUser("dora", "Ulm", "103", "d-4", forward=Forward(no_answer="100", after_s=5)),
        CreateLocation("Bonn"),
        DuplicateLocation("Ulm", "Neu-Ulm"),
        SetSetting("ben", "voicemail", "greeting", {"file": "7.wav", "duration_s": 2.5}),
        ImportPackage(issued("p-1", tapi_line=2, office_plus=2)),
        BindLine("103"),
        BindLine("100"),
    )
    await desk.apply(ReleaseLine("103"), DeleteUser("dora"))
    await desk.apply(ChangeUser("anna", {"extension": "101"}), ChangeUser("ben", {"extension": "100"}))
    store.close()
    again = Store.open(data, Opening(None, at=AT))
    again.close()
    assert again.holdings == desk.holdings
    assert again.holdings.highest_seq == 3
    assert [line.line for line in again.holdings.lines] == ["100"]
    assert desk_of(again).allocation == desk.allocation


async def test_who_was_deleted_leaves_no_message_and_no_token(data: Path, site: Site, tmp_path: Path) -> None:
    store = Store.open(data, Opening(site, at=AT))
    desk = desk_of(store)
    recording = tmp_path / "recording.wav"
    recording.write_bytes(b"RIFF")
    message = await store.mailbox.add("anna", "1", "2", datetime.now(UTC), 1.0, recording)
    token = Token("phone of anna", "user", user="anna", client="connect")
    secret = await store.tokens.create(token, Random(1), actor="root", at=AT)
    await desk.apply(DeleteUser("anna"), CreateUser("anna", "Ulm", "100", "a-2"))
    assert await store.mailbox.list("anna") == ()
    assert not message.path.exists()
    assert await store.tokens.find(secret) is None
    assert [user.seq for user in desk.directory.users] == [2, 3]
    store.close()


async def test_a_full_disk_is_one_sentence_and_damages_nothing(data: Path, site: Site) -> None:
    store = Store.open(data, Opening(site, at=AT))
    desk = desk_of(store)
    await desk.start()
    before = desk.holdings
    pages = int(str(sql(data, "PRAGMA page_count")[0][0]))
    await store.unit.run(lambda one: one.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar())
    users = [CreateUser(f"u{n}", "Ulm", f"5{n:04}", "x" * 100) for n in range(500)]
    with pytest.raises(
        StoreError, match=r"the disk is full; make room on it; what was stored before is unharmed$"
    ):
        await desk.apply(*users)
    assert desk.holdings == before
    await desk.apply(MoveUser("anna", "Ulm", "Lager"))
    store.close()
    assert stored_holdings(data) == desk.holdings
    assert read(data, verify) is None


def test_a_file_that_differs_is_refused_and_names_the_remedy(data: Path, site: Site, changed: Site) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    with pytest.raises(StoreError, match=r"neu.toml differs .* imported here; give --apply-site to merge it"):
        Store.open(data, Opening(changed, at=AT))
    assert stored_holdings(data).site == site


def test_apply_site_tells_what_it_deletes_and_then_merges(data: Path, site: Site, changed: Site) -> None:
    """L-06"""
    Store.open(data, Opening(site, at=AT)).close()
    announced: list[Merge] = []

    def announce(merge: Merge) -> None:
        assert sql(data, "SELECT count(*) FROM users") == [(2,)]
        announced.append(merge)

    store = Store.open(data, Opening(changed, at=AT, apply_site=True, announce=announce))
    store.close()
    assert announced == [store.merge]
    assert announced[0].deletions == (Deletion("anna", "voicemail", ("voicemail_pin", "forward.busy")),)
    assert [(user.name, user.seq) for user in store.holdings.site.users] == [
        ("anna", 1),
        ("ben", 2),
        ("aaron", 3),
    ]
    again = Store.open(data, Opening(changed, at=AT))
    again.close()
    assert again.holdings == store.holdings


def test_a_merge_is_audited_with_what_it_means_to_each_user(data: Path, site: Site, changed: Site) -> None:
    """L-05, L-06"""
    Store.open(data, Opening(site, at=AT)).close()
    Store.open(data, Opening(changed, at=AT, apply_site=True)).close()
    kinds = [kind for (kind,) in sql(data, "SELECT kind FROM audit ORDER BY seq")]
    assert kinds[kinds.index("site.merged") :] == [
        "site.merged",
        "user.created",
        "settings.deleted",
        "licence.released",
        "licence.assigned",
    ]
    assert read(data, verify) is None


def test_apply_site_with_the_same_file_does_nothing(data: Path, site: Site) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    store = Store.open(data, Opening(site, at=AT, apply_site=True))
    store.close()
    assert store.merge is None


def test_a_merge_that_does_not_go_together_leaves_the_store_as_it_was(
    data: Path, site: Site, changed: Site
) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    clash = changed.parse(changed.text.replace('name = "ben"', 'name = "bert"'), "neu.toml")
    with pytest.raises(SiteError, match="extension 101"):
        Store.open(data, Opening(clash, at=AT, apply_site=True))
    assert stored_holdings(data).site == site


def test_a_second_server_on_the_same_data_is_kept_out(data: Path, site: Site) -> None:
    store = Store.open(data, Opening(site, at=AT))
    with pytest.raises(
        StoreError, match="another server is using this data; stop it, or name another --data"
    ):
        Store.open(data, Opening(site, at=AT))
    assert stored_holdings(data).site == site
    store.close()
    Store.open(data, Opening(site, at=AT)).close()


def test_a_server_that_was_killed_keeps_nobody_out(data: Path, site: Site) -> None:
    code = (
        "import os, sys, pathlib; from ringfence.server.site.site import Site; "
        "from ringfence.server.store.store import Store; from ringfence.server.store.opening import Opening; "
        "site = Site.parse(sys.argv[2], 'firma.toml'); "
        "Store.open(pathlib.Path(sys.argv[1]), Opening(site, at=0.0)); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, data, site.text], check=False).returncode == -9
    store = Store.open(data, Opening(site, at=AT))
    store.close()
    assert store.holdings.site == site


@pytest.mark.parametrize("opened", ["server", "reader"])
def test_a_damaged_database_is_one_sentence(data: Path, site: Site, opened: str) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    (data / "ringfence.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match=r"is damaged; restore it from a copy, or name another --data$"):
        Store.open(data, Opening(site, at=AT)) if opened == "server" else stored_holdings(data)


def test_a_page_that_is_damaged_is_noticed_at_start(data: Path, site: Site) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    file = data / "ringfence.sqlite"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    file.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        Store.open(data, Opening(site, at=AT))


def test_a_store_of_a_newer_version_is_one_sentence(data: Path, site: Site) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    sql(data, "UPDATE alembic_version SET version_num = '99'")
    with pytest.raises(StoreError, match=r"newer version \(revision 99, this version knows 3\);"):
        Store.open(data, Opening(site, at=AT))


def test_somebody_elses_database_is_left_alone(data: Path, site: Site) -> None:
    data.mkdir(parents=True)
    sql(data, "CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="its database is not a Ringfence store; name another --data"):
        Store.open(data, Opening(site, at=AT))
    assert sql(data, "SELECT name FROM sqlite_master") == [("theirs",)]


def test_a_new_data_directory_is_for_its_owner_only(tmp_path: Path, site: Site) -> None:
    Store.open(tmp_path / "data", Opening(site, 0.0)).close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_data_directory_that_is_a_file_is_one_sentence(tmp_path: Path, site: Site) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(
        StoreError, match=r"the data directory cannot be used .*; name a directory that can be written"
    ):
        Store.open(file, Opening(site, at=AT))


def test_a_data_directory_that_cannot_be_written_is_one_sentence(site: Site) -> None:
    with pytest.raises(StoreError, match="name a directory that can be written"):
        Store.open(Path("/dev/null/data"), Opening(site, at=AT))


@pytest.mark.skipif(os.name != "posix", reason="needs users of the system")
@pytest.mark.parametrize("part", ["directory", "database"])
def test_a_store_that_may_not_be_written_is_one_sentence_and_unharmed(site: Site, part: str) -> None:
    with TemporaryDirectory() as room:
        data = Path(room) / "data"
        Store.open(data, Opening(site, at=AT)).close()
        before = (data / "ringfence.sqlite").read_bytes()
        data.parent.chmod(0o755)
        for path in (data, *data.iterdir()):
            writable = 0o222 if part == "database" and path.name != "ringfence.sqlite" else 0
            path.chmod((0o555 if path.is_dir() else 0o444) | writable)
        code = (
            "import os, sys, pathlib, sqlalchemy.dialects.sqlite.pysqlite, ringfence.server.site.reader\n"
            "from ringfence.server.store.opening import Opening; from ringfence.server.store.store import Store\n"
            "os.getuid() or os.setuid(65534)\n"
            "try: Store.open(pathlib.Path(sys.argv[1]), Opening(None, at=0.0))\n"
            "except Exception as error: print(type(error).__name__, error)"
        )
        run = subprocess.run([sys.executable, "-c", code, data], capture_output=True, text=True, check=True)
        assert run.stdout == (
            f"StoreError {data}: the database cannot be written; make the directory writable, or name another --data\n"
        ), run.stderr
        assert (data / "ringfence.sqlite").read_bytes() == before
        data.chmod(0o755)


def test_a_store_that_is_not_there_cannot_be_read(data: Path) -> None:
    with pytest.raises(StoreError, match="there is no store yet; name a site file to import"):
        Store.open(data, Opening(None, at=AT))
    with pytest.raises(
        StoreError, match="there is no store; name the directory that was given to serve --data"
    ):
        stored_holdings(data)
    assert not data.exists()


def test_recordings_without_a_row_are_swept_at_start(data: Path, site: Site) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    orphan = data / "messages" / "7.wav"
    orphan.write_bytes(b"")
    Store.open(data, Opening(site, at=AT)).close()
    assert not orphan.exists()


def test_a_copied_store_is_a_whole_store(data: Path, site: Site, tmp_path: Path) -> None:
    Store.open(data, Opening(site, at=AT)).close()
    shutil.copytree(data, tmp_path / "copy")
    assert stored_holdings(tmp_path / "copy").site == site
