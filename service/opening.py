"""Opens the services of one process in order and closes them in the opposite one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Literal, cast

import boto3

from mandant.integrations.objects import FolderObjectStore, S3ObjectStore, S3Place
from mandant.service.databases import Databases, databases
from mandant.service.edge.health import Check
from mandant.service.edge.metrics import Metrics
from mandant.service.edge.rate_limit import PostgresRateLimiter
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.database import DataDatabase
from mandant.tenants.modules import Module, catalogue
from mandant.tenants.people.deployment import People
from mandant.tenants.people.passwords import Passwords
from mandant.tenants.people.system import SYSTEM_SCOPE, ensure_system_scope
from mandant.tenants.retention import check_classified
from mandant.vault.clock import Clock, SystemClock
from mandant.vault.control import ControlDatabase
from mandant.vault.keyring import Keyring
from mandant.vault.keys import load_scope
from mandant.vault.kms.aws import AwsKeyProvider
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.local_start import open_local, remember_counter

Role = Literal["mandant_app", "mandant_worker"]


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    modules: Sequence[Module[Any]],
    metrics: Metrics | None = None,
    *,
    clock: Clock | None = None,
    role: Role = "mandant_app",
) -> AsyncIterator[Runtime]:
    """The services of a web process (`mandant_app`) or a worker, closed when the block ends.

    Raises: PostgresError, ControlUnavailable, OSError; KeyFileMissing and its like; KmsError;
    Unclassified, where a column of the data database names no data category.
    """
    clock = clock or SystemClock()
    metrics = metrics or Metrics()
    async with AsyncExitStack() as stack:
        where = await stack.enter_async_context(databases(settings))
        data_url, control_url = where.data(role), where.control(role)
        data = await DataDatabase.open(data_url, size=settings.database_pool, pooled=settings.pgbouncer)
        stack.push_async_callback(data.close)
        await check_classified(data.pool)
        control = await ControlDatabase.open(
            control_url, size=settings.control_pool, pooled=settings.pgbouncer
        )
        stack.push_async_callback(control.close)
        provider = await key_provider(settings, control, clock)
        stack.push_async_callback(provider.close)
        await ensure_system_scope(control, provider, clock.now())
        if settings.kms == "local":
            await remember_counter(control, cast("Any", provider))
        keyring = Keyring(
            partial(load_scope, control),
            provider,
            clock=clock,
            ttl=settings.key_ttl,
            grace=max(settings.key_grace, settings.key_ttl),
        )
        stack.push_async_callback(keyring.close)
        passwords = Passwords()
        stack.callback(passwords.close)
        objects = object_store(settings)
        await objects.open()
        stack.push_async_callback(objects.close)
        metrics.add_counts("mandant_keyring", "What the keyring did.", lambda: _totals(keyring))
        yield Runtime(
            settings=settings,
            data=data,
            control=control,
            provider=provider,
            keyring=keyring,
            objects=objects,
            jobs=PostgresJobs(),
            people=People(
                data, control, keyring, provider, clock, passwords, timedelta(hours=settings.session_hours)
            ),
            limiter=PostgresRateLimiter(data, keyring, clock),
            clock=clock,
            modules=catalogue(modules),
            metrics=metrics,
            checks=_checks(data, control, keyring, where),
        )


async def key_provider(settings: Settings, control: ControlDatabase, clock: Clock) -> KeyProvider:
    """The KMS of the settings. Raises: KeyFileMissing and its like."""
    if settings.kms == "local":
        path = settings.key_file or settings.var / "keys" / "local.json"
        return await open_local(control, path, clock)
    return AwsKeyProvider(boto3.Session(region_name=settings.kms_region), endpoint_url=settings.kms_endpoint)


def object_store(settings: Settings) -> FolderObjectStore | S3ObjectStore:
    """The object store of the settings, not opened yet."""
    if settings.objects == "folder":
        return FolderObjectStore(settings.objects_folder or settings.var / "objects")
    return S3ObjectStore(
        S3Place(
            bucket=settings.objects_bucket or "",
            region=settings.objects_region,
            endpoint_url=settings.objects_endpoint,
        )
    )


def _totals(keyring: Keyring) -> Iterable[tuple[str, float]]:
    totals = keyring.totals
    for kind in ("hits", "misses", "bridged", "kms_calls", "kms_errors"):
        yield kind, getattr(totals, kind)


def _checks(
    data: DataDatabase, control: ControlDatabase, keyring: Keyring, where: Databases
) -> dict[str, Check]:
    async def ask_data() -> str:
        await data.pool.fetchval("SELECT 1")
        return "ok"

    async def ask_control() -> str:
        await control.pool.fetchval("SELECT 1")
        return "ok"

    async def ask_kms() -> str:
        # From memory, or one call when that is older than the keys' time to live.
        await keyring.open(SYSTEM_SCOPE)
        return "ok"

    return {"data": ask_data, "control": ask_control, "kms": ask_kms, "migrations": where.migrations_current}
