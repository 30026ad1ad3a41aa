"""Processes of their own, to be killed or measured. Arguments: data URL, control URL, folder, then what to do.

work <where> <call>        a worker; kill -9 of itself at the call-th batch: before or after its commit, or never
whole <tenant> <import>    run one import, then say the peak of the memory in KiB and the seconds
"""

import asyncio
import os
import re
import signal
import sys
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, cast
from uuid import UUID

from mandant.integrations.objects import FolderObjectStore
from mandant.service.jobs import WorkerOptions, run_worker, timetable
from mandant.service.jobs.context import JobServices
from mandant.tenants.database import DataDatabase
from mandant.tenants.modules import catalogue
from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.importing import batch, known
from mandant.tenants.modules.importing import run as importing
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import Tenant
from mandant.vault.clock import MovingClock
from mandant.vault.control import ControlDatabase
from mandant.vault.keyring import Keyring
from mandant.vault.keys import load_scope
from mandant.vault.local_start import open_local
from tests.stack import START


class Services:
    """What a job finds of the runtime."""

    data: DataDatabase
    keyring: Keyring
    objects: FolderObjectStore

    def __init__(self) -> None:
        self.clock = MovingClock(START)
        self.modules = catalogue([customers])

    async def open(self, data_url: str, control_url: str, folder: Path) -> None:
        self.data = await DataDatabase.open(data_url, size=4)
        control = await ControlDatabase.open(control_url)
        provider = await open_local(control, folder / "keys.json", self.clock)
        self.keyring = Keyring(partial(load_scope, control), provider, clock=self.clock)
        self.objects = FolderObjectStore(folder / "objects")

    def shelf(self, tenant_id: UUID) -> Shelf:
        return Shelf(Tenant(self.data, self.keyring, tenant_id), self.objects, self.clock, self.modules)


def killing(where: str, at: int) -> None:
    """From now on the at-th batch ends this process, where it is said."""
    calls = count(1)

    def kill_at(call: int) -> None:
        if call == at:
            os.kill(os.getpid(), signal.SIGKILL)

    remember, keep = known.remember, batch.keep

    async def remember_and_die(*arguments: Any) -> None:
        await remember(*arguments)
        kill_at(next(calls))

    async def keep_and_die(*arguments: Any) -> bool:
        kept = await keep(*arguments)
        kill_at(next(calls))
        return kept

    if where == "before":
        setattr(known, "remember", remember_and_die)  # noqa: B010 - no assignment that mypy would check
    elif where == "after":
        setattr(importing, "keep", keep_and_die)  # noqa: B010


async def main(data_url: str, control_url: str, folder: str, what: str, first: str, second: str) -> None:
    services = Services()
    await services.open(data_url, control_url, Path(folder))
    if what == "whole":
        started = perf_counter()
        await importing.run_import(services.shelf(UUID(first)), UUID(second))
        status = Path("/proc/self/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak is not None
        print(peak[1], f"{perf_counter() - started:.1f}")
        return
    killing(first, int(second))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    assert timetable  # importing it declares the tasks
    await run_worker(cast("JobServices", services), stop, WorkerOptions(url=data_url, poll=0.05))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
