from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ringfence.features.telephone.settings import Forward
from ringfence.server.store import audit, revisions, schema
from ringfence.server.store.failure import StoreError
from ringfence.server.store.opening import Opening
from ringfence.server.store.reading import read, stored_holdings
from ringfence.server.store.store import Store
from ringfence.server.store.unit import connect, disconnect, in_transaction

from ..desks import AT

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from ringfence.server.site.site import Site

FIRST = """
CREATE TABLE meta ("key" VARCHAR NOT NULL, value VARCHAR NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE locations (name VARCHAR NOT NULL, position INTEGER NOT NULL, functions JSON NOT NULL, PRIMARY KEY (name));
CREATE TABLE messages (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "user" VARCHAR NOT NULL, caller VARCHAR NOT NULL,
 called VARCHAR NOT NULL, received_at FLOAT NOT NULL, duration_s FLOAT NOT NULL, read BOOLEAN NOT NULL, file VARCHAR NOT NULL);
CREATE INDEX ix_messages_user ON messages ("user");
CREATE TABLE changes (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, at FLOAT NOT NULL, kind VARCHAR NOT NULL, detail JSON NOT NULL);
CREATE TABLE "groups" (location VARCHAR NOT NULL, name VARCHAR NOT NULL, position INTEGER NOT NULL, functions JSON,
 PRIMARY KEY (location, name), FOREIGN KEY(location) REFERENCES locations (name));
CREATE TABLE users (name VARCHAR NOT NULL, seq INTEGER NOT NULL, display_name VARCHAR NOT NULL, location VARCHAR NOT NULL,
 "group" VARCHAR, extension VARCHAR NOT NULL, password VARCHAR NOT NULL, fax_number VARCHAR, email VARCHAR,
 voicemail_pin VARCHAR, forward JSON, PRIMARY KEY (name),
 FOREIGN KEY(location, "group") REFERENCES "groups" (location, name), UNIQUE (seq),
 FOREIGN KEY(location) REFERENCES locations (name), UNIQUE (extension), UNIQUE (fax_number));
INSERT INTO locations VALUES ('Ulm', 0, '["voicemail"]');
INSERT INTO "groups" VALUES ('Ulm', 'Plus', 0, '["softphone", "voicemail"]'), ('Ulm', 'Erbe', 1, NULL), ('Ulm', 'Lager', 2, '[]');
INSERT INTO users VALUES
 ('anna', 1, 'anna', 'Ulm', 'Plus', '100', 'a-1', NULL, NULL, '8264', '{"busy": "*100", "no_answer": null, "not_registered": "101", "after_s": 7.5}'),
 ('ben', 5, 'Ben', 'Ulm', NULL, '101', 'b-2', '1101', NULL, NULL, NULL);
INSERT INTO messages VALUES (3, 'anna', '1', '2', 1.0, 2.5, 0, '3.wav');
INSERT INTO changes (at, kind, detail) VALUES (1.5, 'pin.made', '{"user": "anna"}'), (2.5, 'user.moved', '{"user": "jürgen"}');
"""  # noqa: E501 - as SQLite wrote it


@pytest.fixture
def first(data: Path, site: Site) -> Path:
    """A store as the first revision wrote it."""
    (data / "messages").mkdir(parents=True)
    (data / "messages" / "3.wav").write_bytes(b"RIFF")
    connection = sqlite3.connect(data / "ringfence.sqlite")
    connection.executescript(FIRST)
    known = {
        "schema_revision": "1",
        "site_text": site.text,
        "site_source": site.source,
        "site_digest": hashlib.sha256("\n".join(site.text.splitlines()).encode()).hexdigest(),
        "highest_seq": "9",
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", known.items())
    connection.commit()
    connection.close()
    return data


def test_a_store_of_the_first_revision_is_brought_up_to_date_with_all_that_it_held(
    first: Path, site: Site
) -> None:
    store = Store.open(first, Opening(site, at=AT))
    store.close()
    anna, ben = store.holdings.site.users
    assert (anna.voicemail_pin, anna.forward) == ("8264", Forward("*100", None, "101", 7.5))
    assert (ben.seq, ben.display_name, ben.fax_number, ben.forward) == (5, "Ben", "1101", None)
    assert store.holdings.highest_seq == 9
    assert [group.name for group in store.holdings.site.locations[0].groups] == ["Plus", "Erbe", "Lager"]
    assert stored_holdings(first) == store.holdings
    assert (first / "messages" / "3.wav").exists()


def test_the_record_of_changes_becomes_the_begin_of_the_audit_log(first: Path, site: Site) -> None:
    Store.open(first, Opening(site, at=AT)).close()
    assert read(first, audit.verify) is None
    rows = json.loads("".join(read(first, lambda connection: list(audit.export(connection, "json")))))
    assert [(row["actor"], row["kind"], row["detail"]) for row in rows] == [
        ("unknown", "pin.made", {"user": "anna"}),
        ("unknown", "user.moved", {"user": "jürgen"}),
    ]
    assert rows[0]["at"] == "1970-01-01T00:00:01.500000+00:00"


def test_an_upgraded_store_has_the_same_tables_as_a_new_one(first: Path, site: Site) -> None:
    Store.open(first, Opening(site, at=AT)).close()
    connection = connect(first / "ringfence.sqlite")

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, schema.metadata))

    assert in_transaction(connection, differences) == []
    disconnect(connection)


def test_an_upgrade_that_fails_leaves_the_old_store_as_it_was(first: Path, site: Site) -> None:
    connection = sqlite3.connect(first / "ringfence.sqlite")
    connection.execute("UPDATE changes SET detail = 'no JSON' WHERE id = 2")
    connection.commit()
    before = list(connection.iterdump())
    with pytest.raises(ValueError, match="Expecting value"):
        Store.open(first, Opening(site, at=AT))
    assert list(connection.iterdump()) == before
    connection.close()


def test_reading_an_older_store_from_outside_names_the_remedy(first: Path) -> None:
    with pytest.raises(StoreError, match="of an older version; let serve --data bring it up to date once"):
        stored_holdings(first)


@pytest.mark.parametrize("older", [False, True])
def test_alembic_is_imported_only_for_an_older_store(
    first: Path, data: Path, site: Site, older: bool
) -> None:
    if not older:
        Store.open(first, Opening(site, at=AT)).close()
    code = (
        "import sys, pathlib; from ringfence.server.store.store import Store; "
        "from ringfence.server.store.opening import Opening; "
        "Store.open(pathlib.Path(sys.argv[1]), Opening(None, at=0.0)).close(); "
        "from ringfence import Site; new = pathlib.Path(sys.argv[1] + '-new'); "
        "Store.open(new, Opening(Site.sample(), at=0.0)).close(); "
        "print('alembic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, data], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(older)


def test_the_newest_migration_is_the_revision_of_the_schema() -> None:
    versions = sorted((revisions._MIGRATIONS / "versions").glob("revision_*.py"))
    assert versions[-1].stem == f"revision_{schema.REVISION}"
