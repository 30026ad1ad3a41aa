"""Data categories: every column names one, or nothing starts."""

from collections.abc import AsyncIterator

from mandant.service.doctor.line import Line, ok, wrong
from mandant.service.doctor.patient import Patient
from mandant.tenants.retention import classified_columns

PART = "data categories"


async def check_categories(patient: Patient) -> AsyncIterator[Line]:
    """A column without a category has no day on which it goes: the service refuses to start with one."""
    columns = await classified_columns(patient.connection("data"))
    for column in columns:
        if column.category is None:
            todo = f"COMMENT ON COLUMN {column} IS '<category>', in the migration that makes it"
            yield wrong(PART, str(column), "is of no data category", todo)
    if columns and all(column.category is not None for column in columns):
        yield ok(PART, "columns", f"all {len(columns)} name their category: mandant policy show")
