"""The companies' files: read without doing anything, then imported."""

import asyncio
from io import BytesIO
from pathlib import Path

from mandant.service.demo.importing import import_file
from mandant.service.tour.stage import Stage
from mandant.service.tour.telling import Teller
from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.importing import DryRun, open_reader, preview

NAME = "Their files are looked over, then imported"
PROMISE = "An import first shows how it reads a file and what is wrong with it, line by line. (C4.4)"


async def walk(stage: Stage, tell: Teller) -> None:
    total = 0
    for company in stage.companies.values():
        for path in company.about.files:
            dry = await asyncio.to_thread(_look, path)
            shown = [f"{c.column} -> {c.target}" for c in dry.mapping.columns if c.target][:4]
            tell.command(f"import {path.name}")
            tell.output([f"{dry.rows} rows, {dry.bad} with problems; {', '.join(shown)} ..."])
            done = await import_file(company.api, company.tenant_id, path)
            company.records += done.imported
        counted = await company.api.need("GET", f"{company.base}/count")
        total += counted["count"]
        tell.proves(
            f"{company.about.name} has {counted['count']} customers", counted["count"] == company.records
        )
    tell.results[-1].figures["customers"] = total


def _look(path: Path) -> DryRun:
    return preview(customers, open_reader(BytesIO(path.read_bytes()), path.name))
