"""Rotate, re-encrypt, reindex: new keys for what is stored, while everybody goes on working."""

from typing import Any

import asyncpg

from mandant.service.tour.commands import succeeded
from mandant.service.tour.stage import Company, Stage
from mandant.service.tour.telling import Teller

NAME = "New keys for everything that is stored"
PROMISE = (
    "Rotate makes new keys for new writes, re-encrypt brings rows under them, reindex replaces the search "
    "terms and ends the old index keys. Records, versions and searches stay as they are."
)
GENERATIONS = (
    "SELECT generation, index_generation, count(*) FROM mandant.record\n"
    " WHERE tenant_id = $1 GROUP BY 1, 2 ORDER BY 1, 2"
)


async def walk(stage: Stage, tell: Teller) -> None:
    company = stage.companies["alpenglut"]
    before = await _everything(company)
    async with stage.connected() as admin:
        tell.command(f"psql> {GENERATIONS}")
        rows = [await _generations(admin, company)]
        old_terms = await _terms(admin, company)
        for words in ("rotate", "re-encrypt", "reindex"):
            tell.command(f"mandant vault {words} --tenant {company.tenant_id}")
            said = await succeeded(stage, "vault", words, "--tenant", company.tenant_id)
            tell.output(said.splitlines()[-1:])
            rows.append(await _generations(admin, company))
        new_terms = await _terms(admin, company)
    head = ("after", "seal key", "index key", "rows")
    names = ("import", "rotate", "re-encrypt", "reindex")
    tell.table([head, *((name, *row) for name, each in zip(names, rows, strict=True) for row in each)])
    count = company.records
    tell.proves(
        f"all {count} rows were sealed anew, and their {len(old_terms)} terms made anew: none is left",
        [row[-1][:2] for row in rows] == [(1, 1), (1, 1), (2, 1), (2, 2)]
        and all(len(row) == 1 for row in rows)
        and not old_terms & new_terms,
        resealed=count,
        terms=len(old_terms),
    )
    tell.proves("every record reads as before, with the same version", before == await _everything(company))
    email = before[0]["record"]["emails"][0]["address"]
    conditions = [{"field": "emails.address", "value": email}]
    found = await company.api.need("POST", f"{company.base}/search", {"conditions": conditions})
    tell.proves("a search finds what it found before", [o["id"] for o in found["items"]] == [before[0]["id"]])
    said = await succeeded(stage, "vault", "verify")
    tell.command("mandant vault verify")
    tell.output(said.splitlines()[-1:])
    tell.proves("everything that is stored opens, and its terms are right", "all is well" in said)


async def _everything(company: Company) -> list[Any]:
    found: list[Any] = (await company.api.need("GET", f"{company.base}?limit=200"))["items"]
    return found


async def _generations(admin: "asyncpg.Connection[Any]", company: Company) -> list[tuple[int, ...]]:
    return [tuple(row) for row in await admin.fetch(GENERATIONS, company.tenant_id)]


async def _terms(admin: "asyncpg.Connection[Any]", company: Company) -> set[int]:
    rows = await admin.fetch(
        "SELECT DISTINCT unnest(terms) AS term FROM mandant.record WHERE tenant_id = $1", company.tenant_id
    )
    return {row["term"] for row in rows}
