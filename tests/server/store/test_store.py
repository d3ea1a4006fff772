from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from ringfence.server.site.administration import Administration
from ringfence.server.site.personal import Deletion
from ringfence.server.site.site import SiteError
from ringfence.server.store.failure import StoreError
from ringfence.server.store.store import Store, stored_site

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
    first = Store.open(data, site)
    first.close()
    assert first.site == site
    again = Store.open(data, site)
    again.close()
    assert again.site == site
    assert again.merge is None


def test_without_a_file_the_store_is_enough(data: Path, site: Site) -> None:
    Store.open(data, site).close()
    store = Store.open(data, None)
    store.close()
    assert store.site == site


@pytest.mark.parametrize("inline", [True, False])
def test_without_a_data_directory_nothing_is_left(site: Site, inline: bool) -> None:
    store = Store.open(None, site, inline=inline)
    assert store.messages_dir.is_dir()
    store.close()
    assert not store.messages_dir.parent.exists()


def test_in_virtual_time_no_database_file_and_no_thread_is_used(site: Site) -> None:
    store = Store.open(None, site, inline=True)
    assert not list(store.messages_dir.parent.glob("*.sqlite"))
    store.close()


async def test_changes_outlive_the_server_and_sequence_numbers_stay(data: Path, site: Site) -> None:
    """A-01, L-08"""
    store = Store.open(data, site)
    desk = Administration(store.site, store, lambda _: None, random=Random(1), clock=lambda: 1.5)
    await desk.start()
    pin = desk.directory.users[1].voicemail_pin
    await desk.move_user("anna", "Ulm", "Lager")
    await desk.set_group_functions("Ulm", "Erbe", ["fax"])
    await desk.set_group_functions("Ulm", "Plus", None)
    await desk.set_location_functions("Ulm", ["cti", "voicemail"])
    store.close()
    again = Store.open(data, site)
    again.close()
    assert again.site == desk.directory.site
    anna, ben = again.site.users
    assert (anna.group, anna.voicemail_pin, anna.forward, anna.seq) == ("Lager", None, None, 1)
    assert pin is not None
    assert ben.voicemail_pin == pin
    kinds = [kind for (kind,) in sql(data, "SELECT kind FROM changes WHERE at = 1.5 ORDER BY id")]
    assert kinds[:3] == ["pin.made", "user.moved", "settings.deleted"]
    assert pin not in str(sql(data, "SELECT detail FROM changes"))


def test_a_file_that_differs_is_refused_and_names_the_remedy(data: Path, site: Site, changed: Site) -> None:
    Store.open(data, site).close()
    with pytest.raises(StoreError, match=r"neu.toml differs .* imported here; give --apply-site to merge it"):
        Store.open(data, changed)
    assert stored_site(data) == site


def test_apply_site_tells_what_it_deletes_and_then_merges(data: Path, site: Site, changed: Site) -> None:
    """L-06"""
    Store.open(data, site).close()
    announced: list[Merge] = []

    def announce(merge: Merge) -> None:
        assert sql(data, "SELECT count(*) FROM users") == [(2,)]
        announced.append(merge)

    store = Store.open(data, changed, apply_site=True, announce=announce)
    store.close()
    assert announced == [store.merge]
    assert announced[0].deletions == (Deletion("anna", "voicemail", ("voicemail_pin", "forward.busy")),)
    assert [(user.name, user.seq) for user in store.site.users] == [("anna", 1), ("ben", 2), ("aaron", 3)]
    again = Store.open(data, changed)
    again.close()
    assert again.site == store.site


def test_apply_site_with_the_same_file_does_nothing(data: Path, site: Site) -> None:
    Store.open(data, site).close()
    store = Store.open(data, site, apply_site=True)
    store.close()
    assert store.merge is None


def test_a_merge_that_does_not_go_together_leaves_the_store_as_it_was(
    data: Path, site: Site, changed: Site
) -> None:
    Store.open(data, site).close()
    clash = changed.parse(changed.text.replace('name = "ben"', 'name = "bert"'), "neu.toml")
    with pytest.raises(SiteError, match="extension 101"):
        Store.open(data, clash, apply_site=True)
    assert stored_site(data) == site


def test_a_second_server_on_the_same_data_is_kept_out(data: Path, site: Site) -> None:
    store = Store.open(data, site)
    with pytest.raises(
        StoreError, match="another server is using this data; stop it, or name another --data"
    ):
        Store.open(data, site)
    assert stored_site(data) == site
    store.close()
    Store.open(data, site).close()


def test_a_server_that_was_killed_keeps_nobody_out(data: Path, site: Site) -> None:
    code = (
        "import os, sys, pathlib; from ringfence.server.site.site import Site; "
        "from ringfence.server.store.store import Store; "
        "site = Site.parse(sys.argv[2], 'firma.toml'); "
        "Store.open(pathlib.Path(sys.argv[1]), site); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, data, site.text], check=False).returncode == -9
    store = Store.open(data, site)
    store.close()
    assert store.site == site


@pytest.mark.parametrize("opened", ["server", "reader"])
def test_a_damaged_database_is_one_sentence(data: Path, site: Site, opened: str) -> None:
    Store.open(data, site).close()
    (data / "ringfence.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match=r"is damaged; restore it from a copy, or name another --data$"):
        Store.open(data, site) if opened == "server" else stored_site(data)


def test_a_page_that_is_damaged_is_noticed_at_start(data: Path, site: Site) -> None:
    Store.open(data, site).close()
    file = data / "ringfence.sqlite"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    file.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        Store.open(data, site)


def test_a_store_of_a_newer_version_is_one_sentence(data: Path, site: Site) -> None:
    Store.open(data, site).close()
    sql(data, "UPDATE meta SET value = '99' WHERE key = 'schema_revision'")
    with pytest.raises(StoreError, match=r"newer version \(revision 99, this version knows 1\);"):
        Store.open(data, site)


def test_somebody_elses_database_is_left_alone(data: Path, site: Site) -> None:
    data.mkdir(parents=True)
    sql(data, "CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match=r"ringfence\.sqlite is not a Ringfence store; name another --data"):
        Store.open(data, site)
    assert sql(data, "SELECT name FROM sqlite_master") == [("theirs",)]


def test_a_data_directory_that_is_a_file_is_one_sentence(tmp_path: Path, site: Site) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(
        StoreError, match=r"the data directory cannot be used .*; name a directory that can be written"
    ):
        Store.open(file, site)


def test_a_data_directory_that_cannot_be_written_is_one_sentence(site: Site) -> None:
    with pytest.raises(StoreError, match="name a directory that can be written"):
        Store.open(Path("/dev/null/data"), site)


def test_a_store_that_is_not_there_cannot_be_read(data: Path) -> None:
    with pytest.raises(StoreError, match="there is no store yet; name a site file to import"):
        Store.open(data, None)
    with pytest.raises(
        StoreError, match="there is no store; name the directory that was given to serve --data"
    ):
        stored_site(data)
    assert not data.exists()


def test_recordings_without_a_row_are_swept_at_start(data: Path, site: Site) -> None:
    Store.open(data, site).close()
    orphan = data / "messages" / "7.wav"
    orphan.write_bytes(b"")
    Store.open(data, site).close()
    assert not orphan.exists()


def test_a_copied_store_is_a_whole_store(data: Path, site: Site, tmp_path: Path) -> None:
    Store.open(data, site).close()
    shutil.copytree(data, tmp_path / "copy")
    assert stored_site(tmp_path / "copy") == site
