"""How a search finds a sealed record: by a keyed term of what is looked for."""

from typing import Any
from uuid import UUID

from mandant.service.tour.stage import Company, Stage
from mandant.service.tour.telling import Teller
from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.terms import Look
from mandant.tenants.session import open_keys

NAME = "How a search finds a record"
PROMISE = (
    "The database is asked for a number that only the tenant's index key makes of a value. It finds "
    "by index, and never learns what was looked for."
)
FIND = (
    "SELECT r.record_id FROM mandant.record r\n"
    " WHERE r.terms @> $1 AND r.tenant_id = $2 AND r.module = 'customers'"
)


async def walk(stage: Stage, tell: Teller) -> None:
    company = stage.companies["alpenglut"]
    one = await company.api.need("GET", f"{company.base}/{stage.shown}")
    await _exact(stage, tell, company, one["record"]["emails"][0]["address"].upper(), stage.shown)
    await _beginning(tell, company)


async def _exact(stage: Stage, tell: Teller, company: Company, asked: str, expected: str) -> None:
    look = customers.look("emails.address", asked)
    terms = await _terms(stage, company.tenant_id, look)
    other = await _terms(stage, stage.companies["lac-bleu"].tenant_id, look)
    tell.command(f"POST .../records/search   emails.address = {asked}")
    tell.output(
        [
            f"normalised              {look.asked}",
            f"term, this tenant's key {terms[0]}",
            f"term, another tenant's  {other[0]}",
        ]
    )
    conditions = [{"field": "emails.address", "value": asked}]
    found = await company.api.need("POST", f"{company.base}/search", {"conditions": conditions})
    ids = [item["id"] for item in found["items"]]
    tell.proves("the record is found, in other letters than it was written in", ids == [expected])
    tell.proves("the same value has another term under another tenant's key", terms[0] != other[0])
    async with stage.connected() as admin:
        await admin.execute("ANALYZE mandant.record")
        stored = await admin.fetchval(
            "SELECT array_agg(record_id) FROM mandant.record WHERE tenant_id = $1 AND terms @> $2",
            company.tenant_id,
            terms,
        )
        tell.proves(
            f"of {company.records} rows, its row carries the term; what collides is opened and compared",
            UUID(expected) in stored and len(stored) <= 2,
        )
        plan = await _plan(admin, terms, company.tenant_id)
    tell.say(
        "The statement inside the look-up function, as the role it runs as; a table as small as this one "
        "might be read whole, which is switched off:"
    )
    tell.command(f"psql> SET ROLE mandant_index; SET enable_seqscan = off;\nEXPLAIN {FIND}")
    tell.output(plan)
    tell.proves("PostgreSQL answers it from the GIN index", any("record_terms" in line for line in plan))


async def _plan(admin: Any, terms: list[int], tenant_id: str) -> list[str]:
    """The plan without the way out that a small table offers: to be read whole."""
    async with admin.transaction():
        await admin.execute("SET LOCAL ROLE mandant_index")
        await admin.execute("SET LOCAL enable_seqscan = off")
        rows = await admin.fetch(f"EXPLAIN (COSTS OFF) {FIND}", terms, tenant_id)
    return [str(row[0]) for row in rows]


async def _beginning(tell: Teller, company: Company) -> None:
    asked = "zur"
    tell.command(f"POST .../records/search   addresses.city begins with {asked}")
    conditions = [{"field": "addresses.city", "value": asked, "beginnings": True}]
    body = {"conditions": conditions, "limit": 200}
    found = (await company.api.need("POST", f"{company.base}/search", body))["items"]
    cities = sorted({address["city"] for item in found for address in item["record"]["addresses"]})
    every = await company.api.need("POST", f"{company.base}/query", {"limit": 200})
    expected = {
        item["id"]
        for item in every["items"]
        if any((address["city"] or "").startswith("Zür") for address in item["record"]["addresses"])
    }
    tell.output([f"{len(found)} customers in {', '.join(cities)}"])
    tell.proves(
        "words are found by their first three letters, without accents; opening every record agrees",
        bool(expected) and {item["id"] for item in found} == expected,
        found_by_prefix=len(found),
    )


async def _terms(stage: Stage, tenant_id: str, look: Look) -> list[int]:
    keys = await open_keys(stage.runtime.keyring, UUID(tenant_id))
    index = keys.index_key(customers.category)
    return [index.term(customers.name, field, kind, value) for field, kind, value in look.entries]
