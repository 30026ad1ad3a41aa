"""The companies' files: read without doing anything, then imported by a background job."""

import textwrap
from typing import Any

from mandant.service.demo.importing import finished, start_import, upload_import
from mandant.service.tour.stage import Company, Stage
from mandant.service.tour.telling import Teller

NAME = "Their files are looked over, then imported"
PROMISE = (
    "People's own files are understood: Outlook, Google, Excel, telephones; German, French, English. A dry "
    "run shows the mapping and every problem with its line; good rows go in, bad ones into a report. (C4.4)"
)

# What people really have: a date that there is not, an address that is none, a line without anybody.
BROKEN = (
    "Vorname;Nachname;E-Mail-Adresse;Geburtstag\r\n"
    "Lina;Ammann;lina.ammann@velofreunde.example;12.05.1990\r\n"
    "Paul;Gasser;paul.gasser@velofreunde.example;31.02.1980\r\n"
    "Rita;Huber;rita.huber at velofreunde;01.07.1975\r\n"
    ";;;24.12.1999\r\n"
).encode("cp1252")


async def walk(stage: Stage, tell: Teller) -> None:
    for company in stage.companies.values():
        for path in company.about.files:
            await _import(tell, company, path.name, path.read_bytes())
    mine = stage.companies["alpenglut"]
    tell.say("A file with mistakes in it:")
    await _import(tell, mine, "messe.csv", BROKEN)
    for company in stage.companies.values():
        counted = (await company.api.need("GET", f"{company.base}/count"))["count"]
        tell.proves(f"{company.about.name} has {counted} customers", counted == company.records > 100)
    tell.results[-1].figures["customers"] = sum(one.records for one in stage.companies.values())


async def _import(tell: Teller, company: Company, name: str, content: bytes) -> None:
    tell.command(f"POST .../modules/customers/imports   {name}")
    address = await upload_import(company.api, company.tenant_id, content, name)
    dry = await company.api.need("GET", f"{address}/preview")
    mapped = [f"{one['column']} > {one['target']}" for one in dry["mapping"]["columns"] if one["target"]]
    tell.output(
        [
            f"dry run: {dry['format']}, {dry['rows']} rows, {dry['bad']} with problems; columns:",
            *textwrap.wrap(", ".join(mapped), 72, max_lines=2, placeholder=" ..."),
            *(f"line {one['line']}, {one['column'] or 'row'}: {one['message']}" for one in dry["problems"]),
        ]
    )
    await start_import(company.api, address)
    done = await finished(company.api, address)
    rows = done["progress"]
    company.records += rows["created"]
    if dry["bad"]:
        report = (await company.api.get(f"{address}/report")).body.decode("utf-8-sig").splitlines()
        tell.proves(
            f"the dry run named {dry['bad']} bad rows with line and column; {rows['created']} went in, "
            f"{rows['refused']} stand in the report, as they were, to be corrected",
            _as_expected(dry, rows) and len(report) == 1 + dry["bad"],
            refused=rows["refused"],
        )
    else:
        tell.proves(
            f"{rows['created']} of {rows['rows']} rows imported",
            done["state"] == "done" and rows["refused"] == 0,
        )


def _as_expected(dry: Any, rows: Any) -> bool:
    lines = {one["line"] for one in dry["problems"]}
    return lines == {3, 4, 5} and (rows["created"], rows["refused"]) == (1, 3)
