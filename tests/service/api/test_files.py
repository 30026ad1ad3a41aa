"""Files over HTTP, through granian on a real socket: what comes whole, what is cut, what leaves nothing."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest

from mandant.service.api.disposition import attachment, name_in
from mandant.service.edge.edge import Edge
from mandant.service.jobs import WorkerOptions, run_worker
from mandant.service.jobs.registry import REGISTRY
from mandant.service.jobs.timetable import EVERY_HOUR
from mandant.service.runtime import Runtime
from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import Invalid
from mandant.tenants.modules import Module, Record
from tests.service.api.conftest import Signed, SignUp
from tests.stack import Stack


class Person(Record):
    name: str


people = Module("people", Person)
MODULES = [people]
NAMED = {"Content-Disposition": "attachment; filename*=UTF-8''Vertrag%20%C3%A4.pdf"}


@pytest.fixture
async def signed(by_socket: SignUp) -> Signed:
    return await by_socket()


@pytest.fixture
def base(signed: Signed) -> str:
    return f"/tenants/{signed.tenant_id}/files"


async def upload(signed: Signed, base: str, data: Any, **headers: str) -> httpx.Response:
    named = {
        **NAMED,
        "Content-Type": "application/pdf",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return await signed.http.post(base, params={"module": "people"}, content=data, headers=named)


async def rows(stack: Stack, signed: Signed) -> list[Any]:
    admin = await stack.connect("postgres")
    try:
        return await admin.fetch("SELECT * FROM mandant.file WHERE tenant_id = $1", signed.tenant_id)
    finally:
        await admin.close()


def objects(stack: Stack, signed: Signed) -> list[Any]:
    return list((stack.folder / "objects" / str(signed.tenant_id)).glob("*"))


async def nothing_is_left(stack: Stack, signed: Signed) -> None:
    async with asyncio.timeout(60):
        while await rows(stack, signed):  # noqa: ASYNC110 - the fact is the server's
            await asyncio.sleep(0.02)
    assert objects(stack, signed) == []


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def test_a_file_lives_from_post_to_delete(signed: Signed, base: str) -> None:
    data = bytes(range(256)) * 20_000
    made = await upload(signed, base, data)
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["name"], body["media_type"], body["size"]) == ("Vertrag ä.pdf", "application/pdf", len(data))
    assert made.headers["location"].endswith(f"{base}/{body['id']}")
    assert (await signed.http.get(f"{base}/{body['id']}")).json() == body
    got = await signed.http.get(f"{base}/{body['id']}/content")
    assert got.content == data
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-length"] == str(len(data))
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["content-disposition"].endswith("filename*=UTF-8''Vertrag%20%C3%A4.pdf")
    assert (await signed.http.get(base, params={"module": "people"})).json() == {
        "items": [body],
        "next": None,
    }
    assert (await signed.http.delete(f"{base}/{body['id']}")).status_code == 204
    for again in (
        await signed.http.delete(f"{base}/{body['id']}"),
        await signed.http.get(f"{base}/{body['id']}"),
        await signed.http.get(f"{base}/{body['id']}/content"),
    ):
        assert again.status_code == 404
    assert (await signed.http.get(base, params={"module": "people"})).json()["items"] == []


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_001])
async def test_a_file_without_a_length_in_its_head_comes_whole(signed: Signed, base: str, size: int) -> None:
    made = await upload(signed, base, pieces(bytes(size)))
    assert (made.status_code, made.json()["size"]) == (201, size)
    assert (await signed.http.get(f"{base}/{made.json()['id']}/content")).content == bytes(size)


async def test_a_page_is_saved_and_never_shown(signed: Signed, base: str) -> None:
    made = await upload(signed, base, b"<script>alert(1)</script>", Content_Type="text/html; charset=utf-8")
    got = await signed.http.get(f"{base}/{made.json()['id']}/content")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert "sandbox" in got.headers["content-security-policy"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_file_over_the_limit_is_413_and_nothing_stays(
    signed: Signed, base: str, stack: Stack, edge: Edge, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    assert edge.runtime is not None
    small = dataclasses.replace(edge.runtime.settings, file_limit=1 << 20)
    monkeypatch.setattr(edge, "runtime", dataclasses.replace(edge.runtime, settings=small))
    exact, over = bytes(1 << 20), bytes((1 << 20) + 1)
    said = await upload(signed, base, pieces(over) if chunked else over)
    assert (said.status_code, said.json()["type"]) == (413, "/problems/too-large")
    await nothing_is_left(stack, signed)
    assert (await upload(signed, base, pieces(exact) if chunked else exact)).status_code == 201


async def test_a_hundred_mebibytes_and_one_byte_are_413(signed: Signed, base: str, stack: Stack) -> None:
    said = await upload(signed, base, bytes((100 << 20) + 1))
    assert said.status_code == 413
    await nothing_is_left(stack, signed)


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_upload_that_breaks_off_leaves_nothing(
    signed: Signed, base: str, stack: Stack, port: int, chunked: bool
) -> None:
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 9000000"
    head = (
        f"POST /api/v1{base}?module=people HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        f"Content-Disposition: attachment; filename=a\r\nAuthorization: {signed.http.headers['authorization']}\r\n"
    ).encode() + framing
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"f4240\r\n" + bytes(1_000_000) + b"\r\n" if chunked else bytes(1_000_000)
    writer.write(head + b"\r\n\r\n" + body)
    await writer.drain()
    async with asyncio.timeout(60):
        while not await rows(stack, signed):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    writer.transport.abort()
    await nothing_is_left(stack, signed)


@pytest.mark.parametrize("damage", ["flipped", "cut"])
async def test_a_download_that_does_not_open_is_cut_and_does_not_end(
    signed: Signed, base: str, stack: Stack, damage: str
) -> None:
    data = bytes(range(256)) * 20_000
    made = await upload(signed, base, data)
    (path,) = objects(stack, signed)
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed if damage == "flipped" else sealed[: -(65536 + 16)])
    got = b""
    with pytest.raises(httpx.RemoteProtocolError):
        async with signed.http.stream("GET", f"{base}/{made.json()['id']}/content") as answer:
            assert answer.status_code == 200
            async for chunk in answer.aiter_bytes():
                got += chunk
    assert data.startswith(got)
    assert len(got) < len(data)


async def test_damage_at_the_start_is_a_problem_and_no_file(signed: Signed, base: str, stack: Stack) -> None:
    made = await upload(signed, base, b"x")
    (path,) = objects(stack, signed)
    path.write_bytes(bytes(78))
    said = await signed.http.get(f"{base}/{made.json()['id']}/content")
    assert (said.status_code, said.json()["type"]) == (500, "/problems/internal")


async def test_an_upload_sent_twice_with_one_key_keeps_one_file(
    signed: Signed, base: str, stack: Stack
) -> None:
    key = {"Idempotency_Key": "k1"}
    first = await upload(signed, base, b"content", **key)
    second = await upload(signed, base, b"content", **key)
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert (await upload(signed, base, b"other", **key)).status_code == 422
    assert len(await rows(stack, signed)) == len(objects(stack, signed)) == 1


async def test_an_uploads_answer_is_kept_as_long_as_the_settings_say(
    signed: Signed, base: str, stack: Stack, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edge.runtime is not None
    settings = dataclasses.replace(edge.runtime.settings, idempotency_hours=1)
    monkeypatch.setattr(edge, "runtime", dataclasses.replace(edge.runtime, settings=settings))
    replayed = []
    for _ in range(4):
        sent = await upload(signed, base, b"content", Idempotency_Key="k2")
        replayed.append("idempotent-replayed" in sent.headers)
        stack.clock.advance(timedelta(minutes=20))  # a session ends when it is idle for 30
    assert replayed == [False, True, True, False]


async def test_a_file_belongs_to_a_record_and_leaves_with_it(signed: Signed, base: str, stack: Stack) -> None:
    records = f"/tenants/{signed.tenant_id}/modules/people/records"
    record = (await signed.http.post(records, json={"name": "Anna"})).json()["id"]
    where = {"module": "people", "record": record}
    made = await signed.http.post(base, params=where, content=b"x", headers=NAMED)
    assert (made.status_code, made.json()["record"]) == (201, record)
    assert len((await signed.http.get(base, params=where)).json()["items"]) == 1
    assert (await signed.http.delete(f"{records}/{record}")).status_code == 204
    assert (await signed.http.get(f"{base}/{made.json()['id']}")).status_code == 404
    unknown = {"module": "people", "record": str(uuid4())}
    assert (await signed.http.post(base, params=unknown, content=b"x", headers=NAMED)).status_code == 404


async def test_lists_are_paged(signed: Signed, base: str) -> None:
    ids = [(await upload(signed, base, b"x")).json()["id"] for _ in range(3)]
    first = (await signed.http.get(base, params={"module": "people", "limit": 2})).json()
    rest = (
        await signed.http.get(base, params={"module": "people", "limit": 2, "after": first["next"]})
    ).json()
    assert [file["id"] for file in first["items"] + rest["items"]] == list(reversed(ids))
    assert rest["next"] is None


async def test_another_tenants_member_gets_404_and_nobody_401(
    signed: Signed, base: str, sign_up: SignUp
) -> None:
    made = await upload(signed, base, b"x")
    file_id = made.json()["id"]
    other = await sign_up()
    theirs = f"/tenants/{other.tenant_id}/files"
    for path in (f"{base}/{file_id}", f"{base}/{file_id}/content", f"{theirs}/{file_id}/content"):
        assert (await other.http.get(path)).status_code == 404
        assert (await signed.http.get(path, headers={"Authorization": "Bearer x"})).status_code == 401
    assert (await other.http.delete(f"{theirs}/{file_id}")).status_code == 404
    assert (await other.http.post(base, params={"module": "people"}, headers=NAMED)).status_code == 404
    assert (await signed.http.get(f"{base}/{file_id}/content")).content == b"x"


@pytest.mark.parametrize(
    ("params", "headers", "status", "field"),
    [
        ({}, NAMED, 422, "module"),
        ({"module": "nothing"}, NAMED, 404, None),
        ({"module": "people"}, {}, 422, "Content-Disposition"),
        ({"module": "people"}, {"Content-Disposition": "attachment"}, 422, "Content-Disposition"),
        (
            {"module": "people"},
            {"Content-Disposition": "attachment; filename=%%%; x"},
            422,
            "Content-Disposition",
        ),
        ({"module": "people", "record": "7"}, NAMED, 422, "record"),
        ({"module": "people"}, {**NAMED, "Content-Type": "secret"}, 422, "media_type"),
        ({"module": "people"}, {**NAMED, "Content-Type": "multipart/form-data; boundary=x"}, 415, None),
    ],
)
async def test_what_is_wrong_is_named_and_leaves_nothing(
    signed: Signed, base: str, stack: Stack, params: Any, headers: Any, status: int, field: str | None
) -> None:
    said = await signed.http.post(base, params=params, content=b"x", headers=headers)
    assert said.status_code == status, said.text
    if field is not None:
        assert [error["field"] for error in said.json()["errors"]] == [field]
    assert "secret" not in said.text
    await nothing_is_left(stack, signed)


async def test_the_document_says_that_the_body_is_the_file(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    one = paths["/api/v1/tenants/{tenant_id}/files"]["post"]
    assert list(one["requestBody"]["content"]) == ["application/octet-stream"]
    assert {p["name"] for p in one["parameters"]} >= {"module", "record", "Content-Disposition"}
    download = paths["/api/v1/tenants/{tenant_id}/files/{file_id}/content"]["get"]
    assert list(download["responses"]["200"]["content"]) == ["*/*"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=a.txt", "a.txt"),
        ('ATTACHMENT; FileName="a; filename=b.txt"', "a; filename=b.txt"),
        ('form-data; name="f"; filename="a \\"b\\".txt"', 'a "b".txt'),
        ("attachment; filename=\"a.txt\"; filename*=UTF-8'de'%C3%A4.txt", "ä.txt"),
        ("attachment; filename*=iso-8859-1''%E4.txt", "ä.txt"),
        ('attachment; filename="Ã¤.txt"', "ä.txt"),
        ('attachment; filename="ä.txt"', "ä.txt"),
    ],
)
def test_names_in_headers_are_understood(header: str, name: str) -> None:
    assert name_in(header) == name
    assert name_in(attachment(name)) == name


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "attachment",
        "attachment; filename",
        "attachment; filename=a b",
        "a=b",
        "attachment; filename*=x",
        "attachment; filename*=UTF-8''%FF",
        "attachment; filename*=utf-7''+AGE-",
        'attachment; filename="a',
    ],
)
def test_what_names_no_file_is_refused(header: str | None) -> None:
    with pytest.raises(Invalid):
        name_in(header)


def test_a_hostile_name_stays_inside_its_header() -> None:
    header = attachment('a"\r\nSet-Cookie: x=1\\')
    assert "\r" not in header
    assert header.count('"') == 2


async def test_the_worker_removes_what_was_deleted(
    signed: Signed, base: str, stack: Stack, edge: Edge
) -> None:
    file_id = (await upload(signed, base, b"x")).json()["id"]
    await upload(signed, base, b"y")
    assert (await signed.http.delete(f"{base}/{file_id}")).status_code == 204
    assert len(objects(stack, signed)) == 2
    data = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    services = dataclasses.replace(cast("Runtime", edge.runtime), data=data)
    stop = asyncio.Event()
    options = WorkerOptions(url=stack.data_url("mandant_worker"), poll=0.05)
    working = asyncio.create_task(run_worker(services, stop, options))
    try:
        async with asyncio.timeout(60):
            while len(await rows(stack, signed)) > 1:  # noqa: ASYNC110 - the fact is the worker's
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await working
        await data.close()
    assert len(objects(stack, signed)) == 1


def test_the_sweep_has_its_hour() -> None:
    assert REGISTRY.get("sweep_files").cron == EVERY_HOUR
