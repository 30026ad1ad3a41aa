"""A tenant takes everything out, and takes it elsewhere."""

import json
from typing import Any

from mandant.service.demo.importing import import_file
from mandant.service.demo.loading import settle
from mandant.service.tour.elsewhere import HEIR
from mandant.service.tour.stage import Stage
from mandant.service.tour.telling import Teller

NAME = "Everything comes out again"
PROMISE = (
    "A tenant exports all records in an open format at any time; imported into a fresh tenant and exported "
    "there, they are equal. (Promise 6, C14)"
)


async def walk(stage: Stage, tell: Teller) -> None:
    company = stage.companies["lac-bleu"]
    export = company.base.removesuffix("/records") + "/export"
    tell.command("GET .../modules/customers/export?format=jsonl")
    answer = await company.api.get(export, format="jsonl")
    lines = answer.body.splitlines()
    tell.output([lines[0].decode()])
    tell.proves(
        f"{len(lines)} lines of JSON, {len(answer.body) / 1e3:.0f} kB: every customer",
        answer.status == 200 and len(lines) == company.records,
        exported=len(lines),
    )
    tell.command("GET .../modules/customers/export?format=csv")
    table = await company.api.get(export, format="csv")
    tell.output(table.body.decode("utf-8-sig").splitlines()[:1])
    tell.proves(
        "the same as a table that Excel opens", table.status == 200 and table.body.startswith(b"\xef\xbb\xbf")
    )
    other = await settle(stage.client, HEIR, stage.sign_ins, lambda _: None)
    tenant_id = str(stage.sign_ins.of(HEIR.key).tenant_id)
    tell.command("import customers.jsonl into a new company; export there")
    await import_file(other, tenant_id, answer.body, "customers.jsonl")
    again = await other.get(f"/tenants/{tenant_id}/modules/customers/export", format="jsonl")
    tell.proves("both exports hold the same records", _contents(answer.body) == _contents(again.body))


def _contents(lines: bytes) -> list[str]:
    """The records without what belongs to the installation: ids, versions, times."""

    def own(line: Any) -> Any:
        return {name: line[name] for name in line if name not in {"id", "version", "created", "updated"}}

    return sorted(json.dumps(own(json.loads(line)), sort_keys=True) for line in lines.splitlines())
