"""Under `litestar mandant ...` the commands work on the host's modules."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from mandant.tenants.modules import Module, Record, Searchable, store
from mandant.tenants.people import People
from tests.service.cli.command import ROOT, environment, mandant
from tests.stack import Stack
from tests.tenants.people.support import a_newcomer

HOST = """
from typing import Annotated
from litestar import Litestar
from mandant import MandantConfig, MandantPlugin, Module, Record, Searchable

class Boat(Record):
    name: Annotated[str, Searchable()]

app = Litestar(plugins=[MandantPlugin(MandantConfig(modules=[Module("boats", Boat)]))])
"""


class Boat(Record):
    name: Annotated[str, Searchable()]


boats = Module("boats", Boat)


async def host(environ: dict[str, str], folder: Path, *words: str) -> str:
    """What `litestar mandant WORDS` says in the application of `folder`; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "litestar", "--app", "harbour:app", "mandant", *words),
        env=environ | {"PYTHONPATH": f"{ROOT}:{folder}"},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_a_hosts_modules_are_those_of_litestar_mandant(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "harbour.py").write_text(HOST)
    tenant = await stack.tenant()
    await store.create_many(tenant, boats, [Boat(name="Anna"), Boat(name="Berta")], at=stack.clock.now())
    words = ("vault", "reindex", "--tenant", str(tenant.tenant_id))
    alone = await mandant(environment(stack), *words)
    assert alone.code == 1
    assert "not declared here: boats" in alone.said
    for command in (words, ("vault", "verify", "--tenant", str(tenant.tenant_id)), ("doctor",)):
        await host(environment(stack), tmp_path, *command)
    found = await store.search(tenant, boats, [boats.look("name", "berta")])
    assert [one.record.name for one in found] == ["Berta"]


async def test_a_hosts_settings_are_those_of_litestar_mandant(
    stack: Stack, people: People, tmp_path: Path
) -> None:
    environ = environment(stack)
    variables = {name: environ.pop(name) for name in sorted(environ) if name.startswith("MANDANT_")}
    source = HOST.replace("Record, Searchable", "Record, Searchable, Settings", 1)
    settings = f"settings=Settings.from_env({variables!r})"
    (tmp_path / "harbour.py").write_text(source.replace("Boat)]", f"Boat)], {settings}"))
    made = await a_newcomer(people)
    assert "Muster AG" in await host(environ, tmp_path, "tenants", "show", str(made.ids.tenant_id))
    assert "both are current" in await host(environ, tmp_path, "database", "status")
    await host(environ, tmp_path, "jobs", "list")
    assert not (tmp_path / "var").exists()
