"""vault/FORMAT.md against a real installation: a stranger who has the page, both databases, the key file and
the object folder opens every sealed row and file, and there is no column of sealed bytes that the page omits.

The contexts are read from the page's own table. Promise 1, and the page's first sentence.
"""

import json
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from mandant.integrations.objects import FolderObjectStore
from mandant.service.jobs.context import JobContext
from mandant.service.jobs.tasks_imports import import_rows
from mandant.tenants.database import DataDatabase
from mandant.tenants.modules import Module, Record, Unique
from tests.format_page import Line, lines_of_the_page
from tests.service.api.conftest import Signed, SignUp
from tests.stack import Stack
from tests.vault import stranger

CANARY = "canary-7b1e"


class Client(Record):
    name: str
    number: Annotated[str | None, Unique()] = None


clients = Module("clients", Client)
MODULES = [clients]


class Reader:
    """What a stranger holds: the key file and a connection to each database."""

    def __init__(self, key_file: Path, data: Any, control: Any) -> None:
        keys = json.loads(key_file.read_text())["keys"]
        self.kms = {key["key_ref"]: b64decode(key["key"]) for key in keys}
        self.data, self.control = data, control

    async def key(self, scope: UUID, category: int, generation: int) -> bytes:
        row = await self.control.fetchrow(
            "SELECT e.key_ref, s.kind, k.generation, k.wrapped FROM control.scope s"
            " JOIN control.scope_key k USING (scope_id) JOIN control.epoch e USING (epoch) WHERE scope_id = $1",
            scope,
        )
        context = {
            "mandant:scope": str(scope),
            "mandant:kind": row["kind"],
            "mandant:generation": str(row["generation"]),
        }
        scope_key = stranger.unwrap(
            {
                "kind": "local",
                "context": context,
                "key_ref": row["key_ref"],
                "key": self.kms[row["key_ref"]].hex(),
            },
            row["wrapped"],
        )
        wrap = await self.control.fetchrow(
            "SELECT scope_generation, wrapped FROM control.category_key"
            " WHERE scope_id = $1 AND category = $2 AND purpose = 1 AND generation = $3",
            scope,
            category,
            generation,
        )
        return stranger.unwrap(
            {
                "kind": "category",
                "scope": str(scope),
                "category": category,
                "purpose": 1,
                "generation": generation,
                "scope_generation": wrap["scope_generation"],
                "key": scope_key.hex(),
            },
            wrap["wrapped"],
        )

    async def context(self, line: Line, row: Any, sealed: bytes) -> dict[str, Any]:
        owner: UUID = row[line.owner]
        scope = UUID(bytes=stranger.blake2b(16, b"", "mandant/scope/1", owner.bytes + line.kind.encode()))
        generation = int.from_bytes(sealed[1:5], "big")
        record_id = row[line.record_id]
        return {
            "scope": str(scope),
            "category": line.category,
            "generation": generation,
            "module": row[line.module.split(".")[1]] if "." in line.module else line.module,
            "field": line.field,
            "record_id": record_id.hex() if isinstance(record_id, bytes) else str(record_id),
            "version": str(row[line.version]) if not line.version.isdigit() else line.version,
            "key": (await self.key(scope, line.category, generation)).hex(),
        }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(stack: Stack, sign_up: SignUp) -> Signed:
    """A tenant with at least one row of everything that is sealed."""
    objects = FolderObjectStore(stack.folder / "objects")
    await objects.open()
    signed = await sign_up()
    http, base = signed.http, f"/tenants/{signed.tenant_id}"
    named = {"Content-Disposition": "attachment; filename=a.csv"}
    once = {"Idempotency-Key": "k"}
    answers = [
        await http.post(f"{base}/modules/clients/records", json={"name": CANARY}, headers=once),
        await http.post(f"{base}/invitations", json={"email": "beat@example.ch"}),
        await http.post(f"{base}/tokens", json={"name": "script"}),
        await http.post(f"{base}/files?module=clients", content=CANARY.encode() * 20_000, headers=named),
        await http.post(f"{base}/modules/clients/imports", content=b"Name;Number\nA;1\n;2\n", headers=named),
    ]
    import_id = answers[-1].json()["id"]
    answers.append(await http.post(f"{base}/modules/clients/imports/{import_id}/start"))
    assert all(answer.is_success for answer in answers), [answer.text for answer in answers]
    data = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    services = SimpleNamespace(
        data=data, keyring=stack.keyring, clock=stack.clock, objects=objects, modules={"clients": clients}
    )
    context = JobContext(services, stack.clock, "import_rows", 1, 1, signed.tenant_id)
    await import_rows(context, job_id=UUID(import_id))
    await data.close()
    return signed


async def test_a_stranger_opens_every_sealed_row_by_the_page(stack: Stack, filled: Signed) -> None:
    data = await stack.connect("postgres")
    control = await asyncpg.connect(stack.server.dsn("postgres", stack.control_name))
    reader = Reader(stack.folder / "keys.json", data, control)
    seen = b""
    for line in lines_of_the_page():
        rows = await data.fetch(f"SELECT * FROM mandant.{line.table}")
        assert rows, f"nothing is in {line.table}"
        for row in rows:
            sealed = row[line.column]
            seen += stranger.open_envelope(await reader.context(line, row, sealed), sealed)
    for words in (CANARY, filled.email, "Muster AG", "$argon2id$", "beat@example.ch", "script"):
        assert words.encode() in seen, words
    [files] = [line for line in lines_of_the_page() if line.table == "file"]
    for row in await data.fetch("SELECT * FROM mandant.file WHERE state = 'stored' AND size > 100000"):
        sealed = next((stack.folder / "objects").rglob(str(row["object_id"]))).read_bytes()
        context = {**await reader.context(files, row, sealed), "field": "content"}
        assert stranger.open_stream(context, sealed) == CANARY.encode() * 20_000
    await data.close()
    await control.close()


async def test_the_page_names_every_column_of_sealed_bytes(stack: Stack) -> None:
    data = await stack.connect("postgres")
    rows = await data.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema IN ('mandant', 'directory', 'queue', 'queue_api') AND data_type = 'bytea'"
    )
    await data.close()
    keyed = {"term", "email_term", "key_term", "request_hash", "bucket"}  # BLAKE2b, opened by nobody
    stored = {(row["table_name"], row["column_name"]) for row in rows if row["column_name"] not in keyed}
    assert {(line.table, line.column) for line in lines_of_the_page()} == stored
