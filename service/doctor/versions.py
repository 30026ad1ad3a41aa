"""Whether both databases stand at the revision that this program was written for."""

from collections.abc import AsyncIterator

import asyncpg

from mandant.service.doctor.line import Line, ok, wrong
from mandant.service.doctor.patient import Patient
from mandant.service.migrations import TREES, head

PART = "migrations"
_SCHEMA = {"data": "mandant", "control": "control"}


async def check_versions(patient: Patient) -> AsyncIterator[Line]:
    """One line a database."""
    for tree in TREES:
        connection = patient.connection(tree)
        try:
            found = await connection.fetchval(f"SELECT version_num FROM {_SCHEMA[tree]}.schema_version")
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            yield wrong(PART, tree, "nothing was ever migrated", "mandant database upgrade")
            continue
        if found == head(tree):
            yield ok(PART, tree, f"at {found}")
        else:
            todo = "mandant database upgrade; or, if the database is newer, install that version of mandant"
            yield wrong(PART, tree, f"at {found}, this program needs {head(tree)}", todo)
