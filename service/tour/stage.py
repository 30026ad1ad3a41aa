"""What every step works with: a running service of its own, its two companies, and a DBA's way in."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from mandant.service.cli.up import Service, serving
from mandant.service.demo.client import Client
from mandant.service.demo.companies import DemoCompany
from mandant.service.demo.sign_ins import SignIns
from mandant.service.opening import open_runtime
from mandant.service.postgres import DATA_DATABASE, EmbeddedPostgres
from mandant.service.postgres.errors import AlreadyRunning
from mandant.service.postgres.lock import holder
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.modules.builtin import BUILT_IN

__all__ = ["Company", "Interrupted", "Stage", "fresh_folder", "open_stage"]


@dataclass
class Company:
    """One of the two companies, once it is registered. `api` acts as its admin."""

    about: DemoCompany
    tenant_id: str
    api: Client
    records: int = 0

    @property
    def base(self) -> str:
        """Of its customers' addresses."""
        return f"/tenants/{self.tenant_id}/modules/customers/records"


@dataclass(frozen=True)
class Interrupted:
    """An import whose worker was killed."""

    company: Company
    address: str
    rows: int


@dataclass
class Stage:
    """The installation under `folder`/installation, served."""

    folder: Path
    settings: Settings
    environ: Mapping[str, str]
    service: Service
    runtime: Runtime
    client: Client
    sign_ins: SignIns
    companies: dict[str, Company] = field(default_factory=dict)
    shown: str = ""
    """The id of the customer that the reader has been shown."""
    interrupted: Interrupted | None = None

    @property
    def installation(self) -> Path:
        """All that the service keeps."""
        return self.settings.var

    @property
    def log(self) -> Path:
        """What web and worker write."""
        return self.installation / "service.log"

    @property
    def server(self) -> EmbeddedPostgres:
        """The embedded PostgreSQL, which this process holds."""
        server = self.service.where.server
        assert isinstance(server, EmbeddedPostgres)  # noqa: S101 - nobody else starts one in this folder
        return server

    @asynccontextmanager
    async def connected(self, role: str = "postgres") -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A bare connection to the data database as one role; `postgres` is the database administrator."""
        connection = await asyncpg.connect(self.server.dsn(role, DATA_DATABASE))
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def open_stage(folder: Path, settings: Settings) -> AsyncIterator[Stage]:
    """Start everything in an empty `folder`/installation. Raises: as serving."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MANDANT_")}
    async with (
        serving(settings, environ, log=settings.var / "service.log") as service,
        open_runtime(settings, BUILT_IN, role="mandant_worker") as runtime,
    ):
        yield Stage(
            folder=folder,
            settings=settings,
            environ=environ | {"MANDANT_VAR": str(settings.var.absolute())},
            service=service,
            runtime=runtime,
            client=Client(service.address),
            sign_ins=SignIns(settings.var / "demo" / "sign-ins.json"),
        )


def fresh_folder(installation: Path) -> None:
    """Removes what an earlier tour left. Raises: AlreadyRunning while another tour uses it."""
    pid = holder(installation / "run" / "postgres.lock")
    if pid is not None:
        raise AlreadyRunning(installation, pid)
    data = installation / "postgres" / "data"
    if data.is_symlink():  # as root, where the server's user cannot enter the folder
        shutil.rmtree(data.resolve(), ignore_errors=True)
    if installation.exists():
        shutil.rmtree(installation)
    installation.mkdir(parents=True)
