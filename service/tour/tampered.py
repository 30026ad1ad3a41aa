"""A database administrator changes sealed bytes: they do not open, and nothing wrong is shown."""

from typing import Any

import asyncpg

from mandant.service.tour.stage import Company, Stage
from mandant.service.tour.telling import Teller
from mandant.service.tour.waiting import until

NAME = "What happens when somebody changes sealed bytes"
PROMISE = (
    "Sealed bytes open in their own row, field, module, tenant and version only. Moved or changed by "
    "one bit they do not open, and the answer says nothing of the content."
)
SEALED = "SELECT sealed FROM mandant.record WHERE tenant_id = $1 AND module = 'customers' AND record_id = $2"
WRITE = (
    "UPDATE mandant.record SET sealed = $3 WHERE tenant_id = $1 AND module = 'customers' AND record_id = $2"
)


async def walk(stage: Stage, tell: Teller) -> None:
    mine, theirs = stage.companies["alpenglut"], stage.companies["lac-bleu"]
    first, second = stage.shown, (await _ids(mine))[0]
    foreign = (await _ids(theirs))[0]
    async with stage.connected() as admin:
        original = await admin.fetchval(SEALED, mine.tenant_id, first)
        flipped = bytearray(original)
        flipped[len(flipped) // 2] ^= 1
        cases = (
            (
                "the sealed bytes of another customer of the tenant",
                await admin.fetchval(SEALED, mine.tenant_id, second),
            ),
            ("those of the other tenant", await admin.fetchval(SEALED, theirs.tenant_id, foreign)),
            ("its own with one bit flipped", bytes(flipped)),
            ("its own, the last byte cut off", original[:-1]),
        )
        answers = []
        tell.command("psql> UPDATE mandant.record SET sealed = ... WHERE record_id = ...   -- as superuser")
        try:
            for what, content in cases:
                status = await _answer(admin, mine, first, content)
                answers.append(status)
                tell.output([f"{status}  {what}"])
        finally:
            await admin.execute(WRITE, mine.tenant_id, first, original)
    restored = await mine.api.get(f"{mine.base}/{first}")
    tell.output([f"{restored.status}  its own again"])
    tell.proves(
        "none of the four opens; the row's own bytes do",
        answers == [500] * len(cases) and restored.status == 200,
        tampered=len(cases),
    )
    tell.proves(
        "the failure stands in the log, for an alarm, without any content",
        await until(lambda: stage.log.read_text().count("vault.errors.Unopenable") >= len(cases)),
    )


async def _answer(admin: "asyncpg.Connection[Any]", company: Company, record_id: str, content: bytes) -> int:
    await admin.execute(WRITE, company.tenant_id, record_id, content)
    return (await company.api.get(f"{company.base}/{record_id}")).status


async def _ids(company: Company) -> list[str]:
    listed = await company.api.need("GET", f"{company.base}?limit=1")
    return [item["id"] for item in listed["items"]]
