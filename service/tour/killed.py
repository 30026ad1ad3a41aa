"""kill -9 of the worker in the middle of an import; resumed.py looks how it ended."""

import asyncio
from typing import Any

from mandant.service.cli.up import WORKER
from mandant.service.demo.generate import outlook, people
from mandant.service.demo.importing import start_import, upload_import
from mandant.service.demo.loading import settle
from mandant.service.tour.elsewhere import NEWCOMER
from mandant.service.tour.stage import Company, Interrupted, Stage
from mandant.service.tour.telling import Teller

NAME = "The worker is killed in the middle of an import"
PROMISE = "A crash at any point loses nothing and doubles nothing: another worker goes on where it stopped."
ROWS = 20_000
ENOUGH = 2_000  # rows, then the worker is killed


async def walk(stage: Stage, tell: Teller) -> None:
    api = await settle(stage.client, NEWCOMER, stage.sign_ins, lambda _: None)
    company = Company(NEWCOMER, str(stage.sign_ins.of(NEWCOMER.key).tenant_id), api)
    content = await asyncio.to_thread(lambda: outlook(people(3, ROWS, "de")))
    address = await upload_import(api, company.tenant_id, content, "kunden.csv")
    tell.command(f"POST .../imports   kunden.csv, {ROWS} rows, {len(content) / 1e6:.1f} MB, a third company")
    await start_import(api, address)
    await _reached(api, address, ENOUGH)
    worker = stage.service.children["worker"]
    worker.kill()
    code = await worker.wait()
    found = (await api.need("GET", address))["progress"]
    counted = (await api.need("GET", f"{company.base}/count"))["count"]
    tell.command(f"kill -9 {worker.pid}")
    tell.output([f"the worker ended with {code}; {found['rows']} of {ROWS} rows are dealt with"])
    tell.proves(
        f"{counted} records are in, exactly those that the import counts as created",
        0 < found["rows"] < ROWS and counted == found["created"] and code == -9,
        rows_at_kill=found["rows"],
    )
    await stage.service.start("worker", *WORKER)
    stage.interrupted = Interrupted(company, address, ROWS)
    tell.say(
        "Another worker is started. It takes the job over once the dead one is missed; "
        "the last step but one looks how that ended."
    )


async def _reached(api: Any, address: str, rows: int) -> None:
    while True:
        found = await api.need("GET", address)
        if found["progress"]["rows"] >= rows or found["state"] != "running":
            return
        await asyncio.sleep(0.02)
