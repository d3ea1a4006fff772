"""Run by Alembic: the migrations work in the transaction that `revisions` opened, so that all count or none."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
