"""The same files once more: no customer doubles."""

from mandant.service.demo.importing import import_file
from mandant.service.tour.stage import Stage
from mandant.service.tour.telling import Teller

NAME = "The same files a second time"
PROMISE = "A file that is imported twice makes no duplicates, also after a reindex. (C4.4)"


async def walk(stage: Stage, tell: Teller) -> None:
    for company in stage.companies.values():
        created = present = 0
        for path in company.about.files:
            done = await import_file(company.api, company.tenant_id, path.read_bytes(), path.name)
            created += done["progress"]["created"]
            present += done["progress"]["already_there"]
        counted = (await company.api.need("GET", f"{company.base}/count"))["count"]
        tell.command(f"import {' and '.join(path.name for path in company.about.files)} again")
        tell.proves(
            f"{created} created, {present} there already, {counted} customers as before",
            created == 0 and present > 0 and counted == company.records,
        )
