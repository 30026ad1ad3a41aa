"""The same customer in PostgreSQL, and the search of everything on the disk."""

import asyncio
from typing import Any

import asyncpg

from mandant.service.tour.plaintext import dump, records_of, search_bytes, search_folder, values_of
from mandant.service.tour.stage import Stage
from mandant.service.tour.telling import Teller

NAME = "What PostgreSQL has of it"
PROMISE = (
    "A stolen dump, backup or disk holds no plaintext of a tenant: ids, times, sizes, keyed terms "
    "and ciphertext only. (Promise 1)"
)
ROW = (
    "SELECT tenant_id, module, record_id, version, terms, sealed\n  FROM mandant.record WHERE record_id = $1"
)
PLANTED = "planted: Anna Muster, Alpweg 1"


async def walk(stage: Stage, tell: Teller) -> None:
    async with stage.connected() as admin:
        tell.say("The same customer, as the database's superuser, whom no row-level security binds:")
        tell.command(f"psql> {ROW}")
        row = await admin.fetchrow(ROW, stage.shown)
        assert row is not None  # noqa: S101 - imported two steps before
        sealed: bytes = row["sealed"]
        tell.output(
            [
                f"tenant_id  {row['tenant_id']}",
                f"module     {row['module']}",
                f"record_id  {row['record_id']}",
                f"version    {row['version']}",
                f"terms      {{{', '.join(map(str, row['terms'][:2]))}, ...}}  {len(row['terms'])} terms",
                f"sealed     \\x{sealed[:24].hex()}...  {len(sealed)} bytes",
            ]
        )
        person = await admin.fetchrow("SELECT sealed FROM mandant.person LIMIT 1")
        entry = await admin.fetchrow("SELECT term FROM directory.entry WHERE kind = 'email' LIMIT 1")
        assert person is not None  # noqa: S101
        assert entry is not None  # noqa: S101
        tell.say("Who signs in is sealed too, and found by a keyed term of the e-mail address:")
        tell.output(
            [
                f"person     \\x{person['sealed'][:24].hex()}...  {len(person['sealed'])} bytes",
                f"directory  \\x{entry['term'].hex()}",
            ]
        )
        await _search(stage, tell, admin)


async def _search(stage: Stage, tell: Teller, admin: "asyncpg.Connection[Any]") -> None:
    values: list[str] = []
    for company in stage.companies.values():
        values += values_of(company.about, await asyncio.to_thread(records_of, company.about))
    tell.command("pg_dump of both databases | search for all names, addresses, numbers and notes")
    dumped = await dump(stage.server)
    hits = await asyncio.to_thread(search_bytes, dumped, values)
    tell.proves(
        f"{len(values)} values, as text and as hex, in {hits.bytes_read / 1e6:.1f} MB of dump: "
        f"{hits.found} hits",
        hits.found == 0 and len(values) > 500,
        values=len(values),
        dump_bytes=hits.bytes_read,
        dump_hits=hits.found,
    )
    some = values[:: max(1, len(values) // 40)] + [
        company.about.domain for company in stage.companies.values()
    ]
    some += ["@velofreunde.example", "@gourmets.example"]  # in every customer's e-mail address
    await admin.execute("CHECKPOINT")
    tell.command("the same in every file: data directory, write-ahead log, key file, objects, log")
    everywhere = await asyncio.to_thread(search_folder, stage.installation, some)
    tell.proves(
        f"{len(some)} values in {everywhere.files} files, {everywhere.bytes_read / 1e6:.0f} MB: "
        f"{everywhere.found} hits",
        everywhere.found == 0,
        disk_bytes=everywhere.bytes_read,
        disk_hits=everywhere.found,
    )
    await _control(stage, tell, admin)


async def _control(stage: Stage, tell: Teller, admin: "asyncpg.Connection[Any]") -> None:
    """The same searches must find what lies open, or their zeros mean nothing."""
    tell.say("Does the search find anything at all? A table in plaintext is planted, and removed after:")
    await admin.execute("CREATE TABLE public.planted (note text, raw bytea)")
    await admin.execute("INSERT INTO public.planted VALUES ($1, $2)", PLANTED, PLANTED.encode())
    await admin.execute("CHECKPOINT")
    try:
        found = search_bytes(await dump(stage.server), [PLANTED]).found
        on_disk = (await asyncio.to_thread(search_folder, stage.installation, [PLANTED])).found
    finally:
        await admin.execute("DROP TABLE public.planted")
    tell.proves(
        f"the planted value is found: {found} times in the dump, {on_disk} times on the disk",
        found == 2 and on_disk >= 2,
        planted_hits=found,
    )
