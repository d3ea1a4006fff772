"""The tables of the store; `REVISION` grows with every change of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
)

REVISION = 1

metadata = MetaData()

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
    Column("voicemail_pin", String),
    Column("forward", JSON(none_as_null=True)),
    ForeignKeyConstraint(["location", "group"], ["groups.location", "groups.name"]),
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

changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("detail", JSON, nullable=False),
    sqlite_autoincrement=True,
)
