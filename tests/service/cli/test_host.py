"""Under `litestar mandant ...` the commands work on the host's modules."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from mandant.tenants.modules import Module, Record, Searchable, store
from tests.service.cli.command import ROOT, environment, mandant
from tests.stack import Stack

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


async def test_a_hosts_modules_are_those_of_litestar_mandant(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "harbour.py").write_text(HOST)
    tenant = await stack.tenant()
    await store.create_many(tenant, boats, [Boat(name="Anna"), Boat(name="Berta")], at=stack.clock.now())
    words = ("vault", "reindex", "--tenant", str(tenant.tenant_id))
    alone = await mandant(environment(stack), *words)
    assert alone.code == 1
    assert "not declared here: boats" in alone.said
    environ = environment(stack, PYTHONPATH=f"{ROOT}:{tmp_path}")
    for command in (words, ("vault", "verify", "--tenant", str(tenant.tenant_id)), ("doctor",)):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "litestar", "--app", "harbour:app", "mandant", *command),
            env=environ,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
    found = await store.search(tenant, boats, [boats.look("name", "berta")])
    assert [one.record.name for one in found] == ["Berta"]
