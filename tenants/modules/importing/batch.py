"""One batch of rows: read in a thread, then kept in one transaction with the counters that say so.

So a crash at any point leaves a batch done and counted, or not done and not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any
from uuid import UUID

from mandant.tenants.errors import NotUnique, TenantsError
from mandant.tenants.modules import store
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.importing import known, state
from mandant.tenants.modules.importing.dedupe import dedupe_key
from mandant.tenants.modules.importing.mapping import Mapping, path_of
from mandant.tenants.modules.importing.records import Importer
from mandant.tenants.modules.importing.refused import report_part
from mandant.tenants.modules.importing.rows import Fault, FileRefused, SourceRow
from mandant.tenants.modules.importing.source import Source
from mandant.tenants.modules.importing.state import ImportState
from mandant.tenants.modules.record import Record
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import TenantSession

ROWS = 500
WEIGHT = 4 * 1024 * 1024
"""Characters of a batch: rows may have megabytes each."""

Good = tuple[SourceRow, Record]
Bad = tuple[SourceRow, Sequence[Fault]]


class Overtaken(TenantsError):
    """Somebody else went on with this import; it is looked at again."""


@dataclass(slots=True)
class Batch:
    """`position`: rows of the file before it; `stopped`: why the file cannot be read any further."""

    position: int
    good: list[Good] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    bytes_read: int = 0
    stopped: str | None = None
    weight: int = 0

    @property
    def rows(self) -> int:
        return len(self.good) + len(self.bad)


def batches(source: Source, importer: Importer, position: int) -> Iterator[Batch]:
    """The rows from `position` on, in batches of at most 500. Blocking; at no time more than one is held."""
    batch = Batch(position)
    try:
        for row in islice(source.reader.rows(), position, None):
            made = importer.to_record(row)
            if isinstance(made, list):
                batch.bad.append((row, made))
            else:
                batch.good.append((row, made))
            batch.weight += sum(map(len, row.values.values())) + len(str(row.record or ""))
            if batch.rows == ROWS or batch.weight >= WEIGHT:
                batch.bytes_read = source.spool.position
                yield batch
                batch = Batch(batch.position + batch.rows)
    except FileRefused as refused:
        batch.stopped = str(refused)
    batch.bytes_read = source.spool.position
    yield batch


async def keep(shelf: Shelf, module: Module[Any], import_id: UUID, batch: Batch, at: datetime) -> bool:
    """Make the batch's records, report its bad rows, move the import on. False: it runs no more.

    Raises: Overtaken; ReadOnly, and as open_session.
    """
    async with shelf.session(write=True) as session:
        # Imports into one module take turns batch by batch: what one has just made, the other finds.
        await session.connection.execute("SELECT pg_advisory_xact_lock($1)", _turn(shelf.tenant_id, module))
        run = await state.find(session, import_id, lock=True)
        if run.state is not ImportState.RUNNING:
            return False
        if run.position != batch.position:
            raise Overtaken("the import went on elsewhere")
        created, clashing = await _make(session, module, run.facts.mapping, batch.good, at)
        refused = sorted((*batch.bad, *clashing), key=lambda bad: bad[0].line)
        await report_part(session, run, refused)
        await session.connection.execute(
            "UPDATE mandant.import_run SET position = position + $3, created = created + $4,"
            " present = present + $5, refused = refused + $6, updated_at = $8,"
            " bytes_read = least(size, greatest(bytes_read, $7))"
            " WHERE tenant_id = $1 AND import_id = $2",
            session.tenant_id,
            import_id,
            batch.rows,
            created,
            batch.rows - created - len(refused),
            len(refused),
            batch.bytes_read,
            at,
        )
    return True


def _turn(tenant_id: UUID, module: Module[Any]) -> int:
    digest = blake2b(tenant_id.bytes + module.name.encode(), person=b"mandant/imports", digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


async def _make(
    session: TenantSession, module: Module[Any], mapping: Mapping, good: Sequence[Good], at: datetime
) -> tuple[int, list[Bad]]:
    """How many records were made, and the rows that clash in a unique field; the others are there already."""
    if not good:
        return 0, []
    key = await known.term_key(session)
    terms = [known.row_term(key, module, dedupe_key(record, row.uid)) for row, record in good]
    seen = await known.known(session, module.name, terms)
    ours = await known.own_ids(session, module.name, [row.uid for row, _ in good])
    new: dict[bytes, Good] = {}
    twice: list[tuple[bytes, SourceRow]] = []
    for term, (row, record) in zip(terms, good, strict=True):
        if term in new:
            twice.append((term, row))
        elif term not in seen and row.uid not in ours:
            new[term] = row, record
    clashes = await _clashes(session, module, new)
    free = [(term, one) for term, one in new.items() if term not in clashes]
    made, late = await _create(session, module, free, at)
    await known.remember(session, module.name, list(made), list(made.values()))
    clashes |= late
    bad = [(new[term][0], field) for term, field in clashes.items()]
    bad += [(row, clashes[term]) for term, row in twice if term in clashes]
    return len(made), [(row, [_clash(row, mapping, field)]) for row, field in bad]


async def _clashes(session: TenantSession, module: Module[Any], new: dict[bytes, Good]) -> dict[bytes, str]:
    """Which of `new` have a unique value that a record has, or a row before them: term -> field."""
    claims = store.unique_terms(session.keys(), module, [record for _, record in new.values()])
    if not claims.terms:
        return {}
    rows = await session.connection.fetch(
        "SELECT t.field, t.term FROM mandant.unique_term t WHERE t.tenant_id = $1 AND t.module = $2"
        " AND (t.field, t.term) IN"
        " (SELECT u.field, u.term FROM unnest($3::text[], $4::bytea[]) AS u (field, term))",
        session.tenant_id,
        module.name,
        claims.fields,
        claims.terms,
    )
    taken = {(row["field"], row["term"]) for row in rows}
    of_each: list[list[tuple[str, bytes]]] = [[] for _ in new]
    for position, name, value in zip(claims.positions, claims.fields, claims.terms, strict=True):
        of_each[position - 1].append((name, value))
    clashes: dict[bytes, str] = {}
    for term, claim in zip(new, of_each, strict=True):
        if clash := next((name for name, value in claim if (name, value) in taken), None):
            clashes[term] = clash
        else:
            taken.update(claim)
    return clashes


async def _create(
    session: TenantSession, module: Module[Any], new: Sequence[tuple[bytes, Good]], at: datetime
) -> tuple[dict[bytes, UUID], dict[bytes, str]]:
    """term -> record id of those made, term -> field of those that lost a race for a unique value.

    Somebody may claim a value between the look before and here: then the batch is made in halves.
    """
    if not new:
        return {}, {}
    try:
        async with session.connection.transaction():
            ids = await store.create_many(session, module, [record for _, (_, record) in new], at=at)
        return {term: made for (term, _), made in zip(new, ids, strict=True)}, {}
    except NotUnique as clash:
        if len(new) == 1:
            return {}, {new[0][0]: clash.field}
    half = len(new) // 2
    made, lost = await _create(session, module, new[:half], at)
    more_made, more_lost = await _create(session, module, new[half:], at)
    return made | more_made, lost | more_lost


def _clash(row: SourceRow, mapping: Mapping, field: str) -> Fault:
    column = next((c.column for c in mapping.columns if c.target and path_of(c.target) == field), field)
    return Fault(row.line, column, "is what another record has, and must be different in each")
