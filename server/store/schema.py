"""The tables of the store as of `REVISION`, which grows with every change of them.

A new store is made from these; `migrations` brings an older one here.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

REVISION = 3

metadata = MetaData()

version = Table("alembic_version", metadata, Column("version_num", String(32), primary_key=True))

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

locations = Table(
    "locations",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("functions", JSON, nullable=False),
    Column("contingent", JSON, nullable=False, server_default="{}"),
)

groups = Table(
    "groups",
    metadata,
    Column("location", ForeignKey("locations.name"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("functions", JSON(none_as_null=True)),
)

users = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("seq", Integer, nullable=False, unique=True),
    Column("display_name", String, nullable=False),
    Column("location", ForeignKey("locations.name"), nullable=False),
    Column("group", String),
    Column("extension", String, nullable=False, unique=True),
    Column("password", String, nullable=False),
    Column("fax_number", String, unique=True),
    Column("email", String),
    ForeignKeyConstraint(["location", "group"], ["groups.location", "groups.name"]),
)

settings = Table(
    "settings",
    metadata,
    Column("user", ForeignKey("users.name"), primary_key=True),
    Column("function", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", JSON, nullable=False),
)

packages = Table(
    "packages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
    Column("imported_at", Float, nullable=False),
)

lines = Table(
    "lines",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("line", String, nullable=False, unique=True),
    Column("bound_at", Float, nullable=False),
)

over_since = Table(
    "over_since",
    metadata,
    Column("licence", String, primary_key=True),
    Column("since", Float, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("name", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("locations", JSON, nullable=False),
    Column("user", ForeignKey("users.name")),
    Column("client", String),
    Column("created_at", Float, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", String, nullable=False, index=True),
    Column("caller", String, nullable=False),
    Column("called", String, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("read", Boolean, nullable=False),
    Column("file", String, nullable=False),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("user", String, nullable=False, index=True),
    Column("recipient", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("text", String, nullable=False),
    Column("file", String),
    Column("created_at", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("why", String),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)
