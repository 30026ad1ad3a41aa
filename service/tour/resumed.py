"""The import that was interrupted has been finished by another worker."""

import asyncio

from mandant.service.demo.importing import finished
from mandant.service.tour.stage import Stage
from mandant.service.tour.telling import Teller

NAME = "The interrupted import went on"
PROMISE = "Nothing is lost and nothing is doubled, though the worker was killed in between. (C4.4)"
WITHIN = 180.0  # seconds: a worker is missed after 30, and the sweep looks each minute


async def walk(stage: Stage, tell: Teller) -> None:
    if stage.interrupted is None:
        tell.failed("no import was interrupted")
        return
    company, rows = stage.interrupted.company, stage.interrupted.rows
    tell.say("A worker counts as dead after 30 seconds; what it held is looked for each minute.")
    tell.command("GET .../imports/{import}   until it is over")
    done = await asyncio.wait_for(finished(company.api, stage.interrupted.address), WITHIN)
    progress = done["progress"]
    counted = (await company.api.need("GET", f"{company.base}/count"))["count"]
    tell.output([f"{done['state']}: {progress['rows']} rows, {progress['created']} created"])
    async with stage.connected() as admin:
        known = await admin.fetchval(
            "SELECT count(DISTINCT record_id) FROM mandant.import_row WHERE tenant_id = $1", company.tenant_id
        )
    tell.proves(
        f"all {rows} rows became {counted} records, one each",
        done["state"] == "done" and progress["created"] == counted == known == rows,
        records=counted,
    )
