"""The first store: users, places, messages, and a record of changes."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "meta",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "locations",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("functions", sa.JSON, nullable=False),
    )
    op.create_table(
        "groups",
        sa.Column("location", sa.String, sa.ForeignKey("locations.name"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("functions", sa.JSON),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False, unique=True),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("location", sa.String, sa.ForeignKey("locations.name"), nullable=False),
        sa.Column("group", sa.String),
        sa.Column("extension", sa.String, nullable=False, unique=True),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("fax_number", sa.String, unique=True),
        sa.Column("email", sa.String),
        sa.Column("voicemail_pin", sa.String),
        sa.Column("forward", sa.JSON),
        sa.ForeignKeyConstraint(["location", "group"], ["groups.location", "groups.name"]),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user", sa.String, nullable=False, index=True),
        sa.Column("caller", sa.String, nullable=False),
        sa.Column("called", sa.String, nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("read", sa.Boolean, nullable=False),
        sa.Column("file", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
