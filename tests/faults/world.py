"""An installation whose parts can be taken away one by one: two PostgreSQL servers, a KMS, a clock for keys.

What the parts are is real: servers that are stopped, a KMS over HTTP (moto) that a proxy breaks. The
application is asked in this process, so that time can be moved for its keyring.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from mandant.integrations.objects import FolderObjectStore
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.service.migrations import upgrade
from mandant.service.plugin import MandantConfig, MandantPlugin
from mandant.service.postgres import CONTROL_DATABASE, DATA_DATABASE, EmbeddedPostgres
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.database import DataDatabase
from mandant.tenants.modules import catalogue
from mandant.tenants.modules.customers import customers
from mandant.tenants.people import PasswordCost, Passwords, People
from mandant.tenants.people.agreements import EDITIONS
from mandant.tenants.people.company import Company
from mandant.tenants.people.person import Profile
from mandant.tenants.people.registration import Registration, register
from mandant.tenants.people.system import ensure_system_scope
from mandant.vault.clock import MovingClock
from mandant.vault.control import ControlDatabase
from mandant.vault.keyring import Keyring
from mandant.vault.keys import load_scope
from mandant.vault.kms.aws import AwsKeyProvider, KmsWaits
from tests.vault.kms.fault_proxy import FaultProxy, fault_proxy
from tests.vault.kms.moto_server import aws_session, moto_server

PASSWORD = "correct horse battery"
TTL, GRACE = 45.0, 300.0
FAST = {"fsync": "off", "synchronous_commit": "off"}


class Server:
    """A PostgreSQL that comes back at the same address: a link leads to its sockets' folder of the day."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder, FAST)
        self._link = folder / "at"

    async def start(self) -> None:
        await self._server.start()
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self._server.sockets)

    async def stop(self) -> None:
        await self._server.stop()

    def dsn(self, role: str, database: str) -> str:
        return f"{self._server.dsn(role, database).partition('?')[0]}?host={quote(str(self._link))}"


@asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[Server]:
    server = Server(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@dataclass
class World:
    """`seconds`: the keyring's monotonic time; add to it and keys grow old."""

    data_server: Server
    control_server: Server
    runtime: Runtime
    people: People
    kms: AwsKeyProvider
    proxy: FaultProxy
    http: httpx.AsyncClient
    seconds: float = 0.0
    registered: int = 0

    async def member(self, *, byok: bool = False) -> "Member":
        """Somebody with a company of their own, signed in, with one customer; its keys are warm."""
        key = await self.kms.create_key({"tenant": str(self.registered)}, "a tenant's own") if byok else None
        self.registered += 1
        email = f"owner{self.registered}@example.ch"
        company = Company("Muster AG", "muster.example", "CH", 12, "Europe/Zurich")
        profile = Profile(name="Anna Muster", email=email, language="de")
        made = await register(
            self.people, Registration(profile, PASSWORD, company, "Director", dict(EDITIONS), key)
        )
        member = Member(self, made.tenant_id, email, key)
        await member.sign_in()
        member.record_id = (await member.create("Alder")).json()["id"]
        assert (await member.members()).status_code == 200
        return member


@dataclass
class Member:
    """An owner at the API."""

    world: World
    tenant_id: UUID
    email: str
    key_ref: str | None
    token: str = ""
    record_id: str = ""

    async def sign_in(self) -> None:
        body = {"email": self.email, "password": PASSWORD}
        answer = await self.world.http.post("/sign-in", json=body)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]

    async def get(self, path: str) -> httpx.Response:
        return await self.world.http.get(path, headers=self._headers)

    async def read(self) -> httpx.Response:
        return await self.get(f"{self._records}/{self.record_id}")

    async def create(self, name: str) -> httpx.Response:
        return await self.world.http.post(self._records, json={"last_name": name}, headers=self._headers)

    async def members(self) -> httpx.Response:
        return await self.get(f"/tenants/{self.tenant_id}/members")

    async def company(self) -> httpx.Response:
        return await self.get(f"/tenants/{self.tenant_id}")

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def _records(self) -> str:
        return f"/tenants/{self.tenant_id}/modules/customers/records"


class Unlimited:
    """Lets everybody through."""

    async def take(self, *tries: Any) -> None:
        pass


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """Everything, started; a few seconds."""
    with (
        _folder() as data_folder,
        _folder() as control_folder,
        moto_server() as moto,
        fault_proxy(moto) as proxy,
    ):
        async with (
            _server(data_folder) as data_server,
            _server(control_folder) as control_server,
        ):
            await upgrade(data_server.dsn("mandant_owner", DATA_DATABASE), "data")
            await upgrade(control_server.dsn("mandant_owner", CONTROL_DATABASE), "control")
            async with _services(data_server, control_server, proxy, data_folder) as world:
                yield world


@asynccontextmanager
async def _services(
    data_server: Server, control_server: Server, proxy: FaultProxy, folder: Path
) -> AsyncIterator[World]:
    clock = MovingClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    data = await DataDatabase.open(data_server.dsn("mandant_app", DATA_DATABASE), size=4)
    control = await ControlDatabase.open(control_server.dsn("mandant_app", CONTROL_DATABASE))
    # Patient: that a busy machine is slow is no fault that is meant here.
    kms = AwsKeyProvider(
        aws_session(), endpoint_url=proxy.address, waits=KmsWaits(connect=30, read=30, total=60)
    )
    await ensure_system_scope(control, kms, clock.now())
    worlds: list[World] = []
    keyring = Keyring(
        partial(load_scope, control),
        kms,
        clock=clock,
        monotonic=lambda: worlds[0].seconds if worlds else 0.0,
        ttl=TTL,
        grace=GRACE,
    )
    passwords = Passwords(PasswordCost(2, 19 << 20))
    people = People(data, control, keyring, kms, clock, passwords, refusal_seconds=0.0)
    plugin = MandantPlugin(MandantConfig([customers], Settings()))
    # Set here and not by the lifespan, whose task groups must end in the task that began them.
    runtime = plugin.edge.runtime = Runtime(
        settings=plugin.settings,
        data=data,
        control=control,
        provider=kms,
        keyring=keyring,
        objects=FolderObjectStore(folder / "objects"),
        jobs=PostgresJobs(),
        people=people,
        limiter=Unlimited(),
        clock=clock,
        modules=catalogue([customers]),
        metrics=plugin.metrics,
        checks={},
    )
    transport = httpx.ASGITransport(app=plugin.edge)  # type: ignore[arg-type]
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            worlds.append(World(data_server, control_server, runtime, people, kms, proxy, http))
            yield worlds[0]
    finally:
        passwords.close()
        await keyring.close()
        await kms.close()
        await data.close()
        await control.close()


@contextmanager
def _folder() -> Any:
    folder = Path(tempfile.mkdtemp(prefix="mf-"))
    folder.chmod(0o755)  # as root the server's user must reach it
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
