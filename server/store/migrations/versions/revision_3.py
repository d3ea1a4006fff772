"""Mails and SMS get an outbox.

What a migration does must not follow later changes of the code, so this one imports nothing of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the table of the outbox."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("user", sa.String, nullable=False, index=True),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("file", sa.String),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("why", sa.String),
        sqlite_autoincrement=True,
    )
