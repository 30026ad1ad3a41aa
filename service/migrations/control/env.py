"""Alembic's entry: the connection, its transaction and the schema come from `migrations.run`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    version_table_schema=context.config.attributes["schema"],
)
context.run_migrations()
