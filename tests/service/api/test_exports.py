"""Export over HTTP, through granian on a real socket: equal after a round trip, cut where something fails."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from mandant.service.api import exports
from mandant.service.edge.edge import Edge
from mandant.tenants.modules import listing, store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.modules.importing.run import run_import
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import Tenant
from mandant.vault.errors import KeyDenied
from tests.service.api.conftest import Signed, SignUp
from tests.stack import Stack

MODULES = [customers]


@pytest.fixture
async def signed(by_socket: SignUp) -> Signed:
    return await by_socket()


@pytest.fixture
async def other(sign_up: SignUp) -> Signed:
    return await sign_up()


def base(signed: Signed) -> str:
    return f"/tenants/{signed.tenant_id}/modules/customers"


def a_customer(number: int) -> Customer:
    plain = {
        "kind": "person",
        "first_name": f"=1+{number}" if number % 7 == 0 else "Käthi",
        "last_name": f"Müller {number}",
        "emails": [{"kind": "home", "address": f"k{number}@example.ch"}],
        "phones": [{"kind": "mobile", "number": "+41 79 555 12 34"}],
        "addresses": [
            {"kind": "home", "street": "Gasse 1", "postcode": "8001", "city": "Zürich", "country": "CH"}
        ],
        "birthday": "1990-12-31",
        "tags": ["a", "b;c"],
        "notes": 'zwei\nZeilen; "so"',
    }
    return customers.from_plain(plain)


async def filled(stack: Stack, signed: Signed, count: int) -> None:
    tenant = Tenant(stack.data, stack.keyring, signed.tenant_id)
    for start in range(0, count, 500):
        batch = [a_customer(number) for number in range(start, min(count, start + 500))]
        await store.create_many(tenant, customers, batch, at=stack.clock.now())


async def exported(signed: Signed, kind: str = "jsonl") -> bytes:
    answer = await signed.http.get(f"{base(signed)}/export", params={"format": kind})
    assert answer.status_code == 200, answer.text
    return answer.content


def without_ids(lines: bytes) -> list[dict[str, Any]]:
    found = [msgspec.json.decode(line) for line in lines.splitlines()]
    return [
        {k: v for k, v in one.items() if k not in ("id", "version", "created", "updated")} for one in found
    ]


async def imported(edge: Edge, signed: Signed, body: bytes, name: str) -> dict[str, Any]:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    sent = await signed.http.post(f"{base(signed)}/imports", content=body, headers=headers)
    assert sent.status_code == 201, sent.text
    import_id = sent.json()["id"]
    assert (await signed.http.post(f"{base(signed)}/imports/{import_id}/start")).status_code == 202
    runtime = edge.runtime
    assert runtime is not None
    tenant = Tenant(runtime.data, runtime.keyring, signed.tenant_id)
    await run_import(Shelf(tenant, runtime.objects, runtime.clock, runtime.modules), UUID(import_id))
    ended: dict[str, Any] = (await signed.http.get(f"{base(signed)}/imports/{import_id}")).json()
    return ended


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
async def test_exported_imported_into_another_tenant_and_exported_again_it_is_equal(
    stack: Stack, edge: Edge, signed: Signed, other: Signed, kind: str
) -> None:
    await filled(stack, signed, 450)
    before = await exported(signed, kind)
    ended = await imported(edge, other, before, f"customers.{kind}")
    assert (ended["state"], ended["progress"]["created"], ended["progress"]["refused"]) == ("done", 450, 0)
    assert without_ids(await exported(other)) == without_ids(await exported(signed))
    again = await imported(edge, other, before, f"customers.{kind}")
    assert (again["progress"]["created"], again["progress"]["already_there"]) == (0, 450)
    home = await imported(edge, signed, before, f"customers.{kind}")
    assert (home["progress"]["created"], home["progress"]["already_there"]) == (0, 450)


async def test_a_spreadsheet_calculates_nothing_of_what_was_typed(stack: Stack, signed: Signed) -> None:
    await filled(stack, signed, 8)
    answer = await signed.http.get(f"{base(signed)}/export", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="customers.csv"')
    for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


async def test_an_empty_module_is_an_empty_export(signed: Signed) -> None:
    assert await exported(signed) == b""
    assert (await exported(signed, "csv")).count(b"\n") == 1


async def test_a_failure_in_the_middle_cuts_the_answer(
    stack: Stack, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(stack, signed, 600)
    connection = await stack.connect("postgres")
    await connection.execute(
        "UPDATE mandant.record SET sealed = set_byte(sealed, 90, get_byte(sealed, 90) # 1) WHERE record_id ="
        " (SELECT record_id FROM mandant.record WHERE tenant_id = $1 ORDER BY record_id DESC LIMIT 1)",
        signed.tenant_id,
    )
    await connection.close()
    monkeypatch.setattr(exports, "PIECE", 1)
    received = b""
    with pytest.raises(httpx.RemoteProtocolError):
        async with signed.http.stream("GET", f"{base(signed)}/export") as answer:
            assert answer.status_code == 200
            async for piece in answer.aiter_bytes():
                received += piece
    assert received.count(b"\n") <= 400


async def test_a_format_that_there_is_not_is_named_as_it_was_asked_for(signed: Signed) -> None:
    answer = await signed.http.get(f"{base(signed)}/export", params={"format": "xml"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "format")


async def test_what_is_wrong_from_the_start_is_a_problem(stack: Stack, signed: Signed) -> None:
    await filled(stack, signed, 3)
    connection = await stack.connect("postgres")
    await connection.execute(
        "UPDATE mandant.record SET sealed = set_byte(sealed, 90, get_byte(sealed, 90) # 1) WHERE tenant_id = $1",
        signed.tenant_id,
    )
    await connection.close()
    answer = await signed.http.get(f"{base(signed)}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")


async def test_a_key_that_is_denied_in_the_middle_cuts_the_answer(
    stack: Stack, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(stack, signed, 600)
    scan = listing.scan

    async def denied(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        number = 0
        async for batch in scan(*arguments, **options):
            yield batch
            number += 1
            if number == 2:
                raise KeyDenied("disabled")

    monkeypatch.setattr(listing, "scan", denied)
    with pytest.raises(httpx.RemoteProtocolError):
        await signed.http.get(f"{base(signed)}/export")


async def test_another_tenant_is_not_found_and_nobody_is_told_to_sign_in(
    signed: Signed, other: Signed, http: httpx.AsyncClient
) -> None:
    assert (await other.http.get(f"{base(signed)}/export")).status_code == 404
    assert (await http.get(f"{base(signed)}/export")).status_code == 401
    wrong = await signed.http.get(f"{base(signed)}/export", params={"format": "xml"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/invalid")
