"""Imports and exports of a module, done with canaries: in the file's name, its headings, its good and bad rows."""

import time
from typing import Any

from tests.promises.planting import Visitor

ENDED_WITHIN = 120.0  # seconds


def plant_imports(visitor: Visitor) -> None:
    """A file that is imported with some rows refused, and one that is given up; then everything exported."""
    word, digits = visitor.canary.word, visitor.canary.digits
    odd = word("heading")
    lines = [
        f"{word('first')},{word('last')},{visitor.canary.email()},{word()},{digits()}" for _ in range(50)
    ]
    refused = [f"{word('first')},{word('last')},{word('noaddress')},{word()},{digits()}"] * 3
    _import(
        visitor, "customers", [f"First Name,Last Name,E-mail Address,{odd},Customer Number", *lines, *refused]
    )
    odd = word("heading")
    lines = [f"{word('group')},{word('text')},{word()}" for _ in range(50)]
    _import(visitor, "groups", [f"name,description,{odd}", *lines, f",{word('nameless')},{word()}"])
    for module in ("customers", "groups"):
        for kind in ("jsonl", "csv"):
            path = f"/tenants/{visitor.tenant_id}/modules/{module}/export"
            exported = visitor.ask("GET", path, expect=200, params={"format": kind})
            assert visitor.canary.core.capitalize().encode() in exported


def _import(visitor: Visitor, module: str, lines: list[str]) -> None:
    ask, word = visitor.ask, visitor.canary.word
    imports = f"/tenants/{visitor.tenant_id}/modules/{module}/imports"
    content = "\r\n".join(lines).encode()

    def upload() -> Any:
        name = f"attachment; filename*=UTF-8''{word('file')}.csv"
        headers = {"Content-Disposition": name, "Content-Type": "text/csv"}
        return ask("POST", imports, expect=201, content=content, headers=headers)

    made = upload()
    one = f"{imports}/{made['id']}"
    preview = ask("GET", f"{one}/preview", expect=200)
    assert preview["bad"] > 0, preview
    columns = [
        {"column": column["column"], "target": column["target"]} for column in preview["mapping"]["columns"]
    ]
    ask("PUT", f"{one}/mapping", {"columns": [*columns, *_left_out(columns, lines[0])]}, expect=200)
    ask("PUT", f"{one}/mapping", {"columns": [{"column": word(), "target": word()}]}, expect=422)
    ask("PUT", f"{one}/mapping", {"columns": columns}, expect=200)
    ask("POST", f"{one}/start", expect=202)
    until = time.monotonic() + ENDED_WITHIN
    while (found := ask("GET", one, expect=200))["state"] == "running" and time.monotonic() < until:
        time.sleep(0.1)
    assert found["state"] == "done", found
    assert (found["progress"]["created"], found["progress"]["refused"] > 0) == (50, True), found
    assert visitor.canary.core.capitalize().encode() in ask("GET", f"{one}/report", expect=200)
    second = upload()
    ask("POST", f"{imports}/{second['id']}/cancel", expect=200)
    ask("GET", imports, expect=200)
    ask("DELETE", f"{imports}/{second['id']}", expect=204)
    broken = {"Content-Disposition": f"attachment; filename={word('file')}.xlsx"}
    ask("POST", imports, expect=422, content=b"PK\x03\x04" + word("zip").encode(), headers=broken)


def _left_out(columns: list[Any], heading: str) -> list[Any]:
    """The headings that are mapped to nothing, named all the same."""
    named = {column["column"] for column in columns}
    return [{"column": name, "target": None} for name in heading.split(",") if name not in named]
