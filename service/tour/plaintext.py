"""The search for plaintext: everything that was imported, in everything that lies on the disk."""

import asyncio
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from mandant.service.demo.companies import DemoCompany
from mandant.service.postgres import CONTROL_DATABASE, DATA_DATABASE, EmbeddedPostgres
from mandant.service.postgres.passwords import SUPERUSER, read_passwords
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.modules.importing import Importer, open_reader, proposed

__all__ = ["Hits", "dump", "records_of", "search_bytes", "search_folder", "values_of"]

SHORTEST = 7  # characters: shorter ones turn up by chance


@dataclass(frozen=True)
class Hits:
    """What a search looked through, and how often it found something."""

    bytes_read: int
    files: int
    found: int


def records_of(company: DemoCompany) -> list[Customer]:
    """What a company's files say, read as the import reads them. Blocking."""
    found: list[Customer] = []
    for path in company.files:
        reader = open_reader(BytesIO(path.read_bytes()), path.name)
        importer = Importer(customers, proposed(customers, reader))
        found += [one for one in map(importer.to_record, reader.rows()) if isinstance(one, Customer)]
    return found


def values_of(company: DemoCompany, records: Iterable[Customer]) -> list[str]:
    """Distinct values that must not be found: people's names, addresses, numbers and notes."""
    values: set[str] = {company.name, company.domain}
    for who in (company.owner, company.member):
        values |= {who.name, who.email}
    for one in records:
        values |= {f"{one.first_name} {one.last_name}", one.company or "", one.notes or ""}
        values |= {email.address for email in one.emails} | {phone.number for phone in one.phones}
        values |= {address.street or "" for address in one.addresses}
    return sorted(value for value in values if len(value) >= SHORTEST)


async def dump(server: EmbeddedPostgres) -> bytes:
    """pg_dump of both databases as the superuser: what a thief of a backup has."""
    return b"".join([await _dump(server, name) for name in (DATA_DATABASE, CONTROL_DATABASE)])


async def _dump(server: EmbeddedPostgres, database: str) -> bytes:
    password = read_passwords(server.directory / "postgres" / "passwords.json")[SUPERUSER]
    environ = {
        **os.environ,
        "PGHOST": str(server.sockets),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": password,
        "PGDATABASE": database,
    }
    assert server.binaries is not None  # noqa: S101 - it is started
    command: list[Any] = [server.binaries / "pg_dump", "--no-password"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environ, check=True, capture_output=True, stdin=subprocess.DEVNULL
    )
    return bytes(done.stdout)


def search_bytes(content: bytes, values: Sequence[str]) -> Hits:
    """Counts each value as UTF-8 text, and as the hex digits that a dump shows of bytes. Blocking."""
    found = 0
    for value in values:
        raw = value.encode()
        found += content.count(raw) + content.count(raw.hex().encode())
    return Hits(len(content), 1, found)


def search_folder(folder: Path, values: Sequence[str]) -> Hits:
    """The same in every file under `folder`, data directory and write-ahead log included. Blocking."""
    size = files = found = 0
    # Links too: as root the data directory may lie elsewhere.
    for root, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(root, name)
            # Neither sockets nor pipes; and a POSIX lock of this process ends when it closes the file.
            if path.is_file() and path.suffix != ".lock":
                hits = search_bytes(path.read_bytes(), values)
                size, files, found = size + hits.bytes_read, files + 1, found + hits.found
    return Hits(size, files, found)
