"""Personal settings become rows, the record of changes a chained audit log; packages, lines and tokens come.

What a migration does must not follow later changes of the code, so this one imports nothing of it.
"""

import hashlib
import json
import tomllib
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_TARGETS = ("busy", "no_answer", "not_registered")


def upgrade() -> None:
    """Make the new tables, move what belongs into them, and drop what is empty then."""
    op.add_column("locations", sa.Column("contingent", sa.JSON, nullable=False, server_default="{}"))
    _make_tables()
    connection = op.get_bind()
    _move_settings(connection)
    op.drop_column("users", "voicemail_pin")
    op.drop_column("users", "forward")
    _chain_changes(connection)
    op.drop_table("changes")
    connection.execute(sa.text("DELETE FROM meta WHERE key = 'schema_revision'"))


def _make_tables() -> None:
    op.create_table(
        "settings",
        sa.Column("user", sa.String, sa.ForeignKey("users.name"), primary_key=True),
        sa.Column("function", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table(
        "packages",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("imported_at", sa.Float, nullable=False),
    )
    op.create_table(
        "lines",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("line", sa.String, nullable=False, unique=True),
        sa.Column("bound_at", sa.Float, nullable=False),
    )
    op.create_table(
        "over_since",
        sa.Column("licence", sa.String, primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("locations", sa.JSON, nullable=False),
        sa.Column("user", sa.String, sa.ForeignKey("users.name")),
        sa.Column("client", sa.String),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("at", "actor", "kind", "detail", "previous", "hash")
        ),
    )


def _move_settings(connection: sa.Connection) -> None:
    text = connection.execute(sa.text("SELECT value FROM meta WHERE key = 'site_text'")).scalar_one()
    prefix = tomllib.loads(text).get("voicemail", {}).get("direct_prefix", "*")
    users = connection.execute(sa.text("SELECT name, extension, voicemail_pin, forward FROM users")).all()
    for name, extension, pin, forward in users:
        settings = [] if pin is None else [("voicemail", "voicemail_pin", pin)]
        for key, value in json.loads(forward or "{}").items():
            own_box = key in _TARGETS and value == prefix + extension
            if value is not None:
                settings.append(("voicemail" if own_box else "telephone", f"forward.{key}", value))
        for function, key, value in settings:
            row = {"user": name, "function": function, "key": key, "value": json.dumps(value)}
            connection.execute(sa.text("INSERT INTO settings VALUES (:user, :function, :key, :value)"), row)


def _chain_changes(connection: sa.Connection) -> None:
    previous = "0" * 64
    changes = connection.execute(sa.text("SELECT at, kind, detail FROM changes ORDER BY id")).all()
    for seq, (at, kind, detail) in enumerate(changes, 1):
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
        told = json.dumps(json.loads(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        row = (seq, moment, "unknown", kind, told, previous)
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        values = dict(zip("abcdefg", (*row, previous), strict=True))
        connection.execute(sa.text("INSERT INTO audit VALUES (:a, :b, :c, :d, :e, :f, :g)"), values)
    if changes:
        head = {"value": f"{len(changes)}:{previous}"}
        connection.execute(sa.text("INSERT INTO meta VALUES ('audit_head', :value)"), head)
