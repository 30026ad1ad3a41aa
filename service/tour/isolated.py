"""What another tenant sees, over HTTP and with SQL."""

from collections.abc import Callable
from typing import Any

import asyncpg

from mandant.service.tour.stage import Company, Stage
from mandant.service.tour.telling import Teller

NAME = "What another tenant sees"
PROMISE = "Nothing. Not over HTTP, and not with SQL as the application's own role. (Promise 2)"
COUNT = "SELECT count(*) FROM mandant.record"


async def walk(stage: Stage, tell: Teller) -> None:
    mine, theirs = stage.companies["alpenglut"], stage.companies["lac-bleu"]
    await _over_http(tell, mine, theirs, stage.shown)
    tell.say("The application's role owns nothing and has row-level security FORCEd on it:")
    await _with_sql(stage, tell, mine, theirs)


async def _over_http(tell: Teller, mine: Company, theirs: Company, record_id: str) -> None:
    known = f"{mine.base}/{record_id}"
    tell.command(f"GET .../records/{record_id}")
    answers = {
        f"as {mine.about.name}": (await mine.api.get(known)).status,
        f"as {theirs.about.name}": (await theirs.api.get(known)).status,
        f"as {theirs.about.name}, under its own address": (
            await theirs.api.get(f"{theirs.base}/{record_id}")
        ).status,
        "as nobody": (await type(mine.api)(mine.api.address).get(known)).status,
    }
    tell.output(f"{status}  {who}" for who, status in answers.items())
    tell.proves(
        "another tenant's record is 404, as if it did not exist; without a sign-in it is 401",
        list(answers.values()) == [200, 404, 404, 401],
    )


async def _with_sql(stage: Stage, tell: Teller, mine: Company, theirs: Company) -> None:
    where = f"{COUNT} WHERE tenant_id = '{mine.tenant_id}'"
    async with stage.connected() as admin, stage.connected("mandant_app") as app:
        everything = await admin.fetchval(COUNT)
        right, wrong = f"SET LOCAL mandant.tenant = '{mine.tenant_id}'", theirs.tenant_id
        counts = [
            ("superuser (for comparison)", everything),
            ("mandant_app, no tenant set", await _rolled_back(app, None, COUNT)),
            ("mandant_app, the other tenant set", await _rolled_back(app, wrong, where)),
            ("mandant_app, the right tenant set", await _rolled_back(app, mine.tenant_id, where)),
        ]
        tell.command(f"psql> BEGIN; {right};\n{COUNT} [WHERE tenant_id = ...]")
        tell.table([("rows", "as"), *((count, who) for who, count in counts)])
        tell.proves(
            "0 rows without a tenant and 0 with the wrong one",
            [count for _, count in counts[1:]] == [0, 0, mine.records] and everything > mine.records,
            rows_no_tenant=counts[1][1],
            rows_wrong_tenant=counts[2][1],
        )
        changed = [
            await _rolled_back(app, wrong, f"{verb} WHERE tenant_id = '{mine.tenant_id}'", _touched)
            for verb in ("UPDATE mandant.record SET version = version + 1", "DELETE FROM mandant.record")
        ]
        smuggled = (
            "INSERT INTO mandant.record (tenant_id, module, record_id, version, generation, index_generation,"
            " terms, sealed, created_at, updated_at) SELECT $2::uuid, 'customers', record_id, 1, 1, 1, '{}',"
            " '', created_at, created_at FROM mandant.record WHERE tenant_id = $1 LIMIT 1"
        )
        refused = ""
        try:
            await _rolled_back(app, wrong, smuggled, None, wrong, mine.tenant_id)
        except asyncpg.InsufficientPrivilegeError as error:
            refused = str(error)
        tell.command("psql> UPDATE, DELETE and INSERT of the other tenant's rows")
        tell.output([f"UPDATE {changed[0]}, DELETE {changed[1]}", f"INSERT: ERROR {refused}"])
        tell.proves(
            "UPDATE and DELETE touch 0 rows, INSERT is refused by the policy",
            changed == [0, 0] and "row-level security" in refused,
        )


def _touched(status: str) -> int:
    return int(status.rpartition(" ")[2])


async def _rolled_back(
    app: "asyncpg.Connection[Any]",
    tenant_id: str | None,
    statement: str,
    read: Callable[[str], int] | None = None,
    *values: str,
) -> int:
    """One statement in a transaction of its own that is undone: the value it selects, or what `read` says."""
    transaction = app.transaction()
    await transaction.start()
    try:
        if tenant_id is not None:
            await app.execute(f"SET LOCAL mandant.tenant = '{tenant_id}'")
        if read is not None:
            return read(await app.execute(statement))
        return int(await app.fetchval(statement, *values) or 0)
    finally:
        await transaction.rollback()
