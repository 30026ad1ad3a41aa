"""One customer file into one tenant, through the public API."""

import asyncio
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from mandant.service.demo.client import Client
from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.importing import Importer, open_reader, proposed

__all__ = ["Imported", "import_file"]


@dataclass(frozen=True)
class Imported:
    """What became of a file's rows."""

    imported: int
    refused: int


async def import_file(api: Client, tenant_id: str, path: Path) -> Imported:
    records, refused = await asyncio.to_thread(_read, path)
    await api.need("POST", f"/tenants/{tenant_id}/modules/customers/records/bulk", {"records": records})
    return Imported(len(records), refused)


def _read(path: Path) -> tuple[list[Any], int]:
    reader = open_reader(BytesIO(path.read_bytes()), path.name)
    importer = Importer(customers, proposed(customers, reader))
    made = [importer.to_record(row) for row in reader.rows()]
    good = [msgspec.to_builtins(one) for one in made if not isinstance(one, list)]
    return good, len(made) - len(good)
