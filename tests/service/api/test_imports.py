"""Imports over HTTP: upload, preview, mapping, start, watch, report; and files made to break that."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from mandant.integrations.objects import FolderObjectStore
from mandant.service.jobs.context import JobContext
from mandant.service.jobs.tasks_imports import KEPT, forget_imports, import_rows
from mandant.tenants.database import DataDatabase
from mandant.tenants.modules import Module, Record, Searchable, Unique
from tests.service.api.conftest import Signed, SignUp
from tests.stack import Stack

MIB = 1024 * 1024


class Client(Record):
    name: Annotated[str, Searchable(prefix=3)]
    number: Annotated[str | None, Unique()] = None
    email: Annotated[str | None, Searchable(as_="email")] = None


clients = Module("clients", Client)
others = Module("others", Client)
MODULES = [clients, others]


class Services:
    """What a job finds of the runtime."""

    def __init__(self, stack: Stack, data: DataDatabase) -> None:
        self.data, self.keyring, self.clock = data, stack.keyring, stack.clock
        self.objects = FolderObjectStore(stack.folder / "objects")
        self.modules = {module.name: module for module in MODULES}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def objects(stack: Stack) -> None:
    """The folder that the application keeps sealed files in."""
    await FolderObjectStore(stack.folder / "objects").open()


@pytest.fixture
async def services(stack: Stack) -> AsyncIterator[Services]:
    data = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    yield Services(stack, data)
    await data.close()


@pytest.fixture
async def signed(sign_up: SignUp) -> Signed:
    return await sign_up()


@pytest.fixture
def base(signed: Signed) -> str:
    return f"/tenants/{signed.tenant_id}/modules/clients/imports"


async def send(signed: Signed, base: str, body: bytes, name: str = "clients.csv") -> httpx.Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return await signed.http.post(base, content=body, headers=headers)


async def run(signed: Signed, base: str, import_id: str, services: Services) -> dict[str, Any]:
    """Start an import and do its job here; the import as it is after."""
    started = await signed.http.post(f"{base}/{import_id}/start")
    assert (started.status_code, started.json()["state"]) == (202, "running"), started.text
    context = JobContext(services, services.clock, "import_rows", 1, 1, signed.tenant_id)
    await import_rows(context, job_id=UUID(import_id))
    ended: dict[str, Any] = (await signed.http.get(f"{base}/{import_id}")).json()
    return ended


def counted(body: dict[str, Any]) -> tuple[int, int, int]:
    progress = body["progress"]
    assert progress["rows"] == progress["created"] + progress["already_there"] + progress["refused"]
    return progress["created"], progress["already_there"], progress["refused"]


GOOD_AND_BAD = (
    b"Name;Number;Email\r\nAnna;1;anna@example.ch\r\nBerta;2;no address\r\nCarla;1;\r\n;3;\r\nDora;4;\r\n"
)


async def test_upload_preview_remap_start_watch_report(signed: Signed, base: str, services: Services) -> None:
    sent = await send(signed, base, GOOD_AND_BAD)
    assert sent.status_code == 201, sent.text
    import_id = sent.json()["id"]
    assert sent.headers["location"].endswith(f"{base}/{import_id}")
    assert (sent.json()["state"], sent.json()["format"], sent.json()["name"]) == (
        "uploaded",
        "csv",
        "clients.csv",
    )

    seen = (await signed.http.get(f"{base}/{import_id}/preview")).json()
    assert [(c["column"], c["target"]) for c in seen["mapping"]["columns"]] == [
        ("Name", "name"),
        ("Number", "number"),
        ("Email", "email"),
    ]
    assert seen["first"][0]["values"] == {"Name": "Anna", "Number": "1", "Email": "anna@example.ch"}
    assert seen["first"][0]["record"] == {"name": "Anna", "number": "1", "email": "anna@example.ch"}
    assert (seen["rows"], seen["good"], seen["bad"], seen["problem_count"]) == (5, 3, 2, 2)
    assert [(p["line"], p["column"]) for p in seen["problems"]] == [(3, "Email"), (5, "Name")]

    wanted = {
        "columns": [{"column": "Name", "target": "name"}, {"column": "Number", "target": "number"}],
    }
    changed = await signed.http.put(f"{base}/{import_id}/mapping", json=wanted)
    assert changed.status_code == 200, changed.text
    assert (await signed.http.get(f"{base}/{import_id}/preview")).json()["unmapped"] == ["Email"]

    ended = await run(signed, base, import_id, services)
    assert (ended["state"], counted(ended)) == ("done", (3, 0, 2))
    assert ended["progress"]["bytes_read"] == ended["progress"]["size"] == len(GOOD_AND_BAD)
    records = f"/tenants/{signed.tenant_id}/modules/clients/records"
    assert [r["record"]["name"] for r in (await signed.http.get(records)).json()["items"]] == [
        "Dora",
        "Berta",
        "Anna",
    ]
    report = await signed.http.get(f"{base}/{import_id}/report")
    assert report.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(report.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][3:] == ["Name", "Number", "Email"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [("4", "Number", "Carla"), ("5", "Name", "")]


async def test_the_same_file_twice_makes_no_duplicates_and_deleted_records_come_back(
    signed: Signed, base: str, services: Services
) -> None:
    ends = []
    for _ in range(2):
        import_id = (await send(signed, base, GOOD_AND_BAD)).json()["id"]
        ends.append(counted(await run(signed, base, import_id, services)))
    assert ends == [(2, 0, 3), (0, 2, 3)]
    records = f"/tenants/{signed.tenant_id}/modules/clients/records"
    (dora, _) = (await signed.http.get(records)).json()["items"]
    await signed.http.delete(f"{records}/{dora['id']}")
    import_id = (await send(signed, base, GOOD_AND_BAD)).json()["id"]
    assert counted(await run(signed, base, import_id, services)) == (1, 1, 3)


async def test_two_equal_rows_of_one_file_are_one_record(
    signed: Signed, base: str, services: Services
) -> None:
    import_id = (await send(signed, base, b"Name,Number\nAnna,\nAnna,\nB,1\nC,1\nC,1\n")).json()["id"]
    assert counted(await run(signed, base, import_id, services)) == (2, 1, 2)


async def test_a_start_sent_twice_with_one_key_is_one_job_and_done_is_done(
    signed: Signed, base: str, services: Services, stack: Stack
) -> None:
    import_id = (await send(signed, base, b"Name\nAnna\n")).json()["id"]
    key = {"Idempotency-Key": uuid4().hex}
    answers = [await signed.http.post(f"{base}/{import_id}/start", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1].headers["idempotent-replayed"] == "true"
    connection = await stack.connect("postgres")
    jobs = await connection.fetch(
        "SELECT args::text FROM queue.procrastinate_jobs WHERE args ->> 'job_id' = $1", import_id
    )
    await connection.close()
    assert len(jobs) == 1
    assert "Anna" not in jobs[0]["args"]
    ended = await run(signed, base, import_id, services)
    assert ended["state"] == "done"
    again = await signed.http.post(f"{base}/{import_id}/start")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")
    remap = await signed.http.put(f"{base}/{import_id}/mapping", json={"columns": []})
    assert remap.status_code == 409


async def test_an_upload_sent_twice_with_one_key_is_one_import(signed: Signed, base: str) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first, again = [await signed.http.post(base, content=b"Name\nAnna\n", headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json() == again.json()
    assert len((await signed.http.get(base)).json()["items"]) == 1
    other = await signed.http.post(base, content=b"Name\nBerta\n", headers=key)
    assert other.json()["type"] == "/problems/idempotency-mismatch"


async def test_cancelled_is_not_run_and_goes_on_when_it_is_started_again(
    signed: Signed, base: str, services: Services
) -> None:
    import_id = (await send(signed, base, b"Name\nAnna\n")).json()["id"]
    await signed.http.post(f"{base}/{import_id}/start")
    cancelled = await signed.http.post(f"{base}/{import_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    context = JobContext(services, services.clock, "import_rows", 1, 1, signed.tenant_id)
    await import_rows(context, job_id=UUID(import_id))
    assert counted((await signed.http.get(f"{base}/{import_id}")).json()) == (0, 0, 0)
    assert counted(await run(signed, base, import_id, services)) == (1, 0, 0)
    assert (await signed.http.post(f"{base}/{import_id}/cancel")).status_code == 409


async def test_delete_takes_file_and_report_and_leaves_records(
    signed: Signed, base: str, services: Services, stack: Stack
) -> None:
    import_id = (await send(signed, base, GOOD_AND_BAD)).json()["id"]
    await signed.http.post(f"{base}/{import_id}/start")
    assert (await signed.http.delete(f"{base}/{import_id}")).status_code == 409
    await run(signed, base, import_id, services)
    assert (await signed.http.delete(f"{base}/{import_id}")).status_code == 204
    assert (await signed.http.get(f"{base}/{import_id}")).status_code == 404
    connection = await stack.connect("postgres")
    left = await connection.fetchval(
        "SELECT count(*) FROM mandant.import_refused WHERE tenant_id = $1", signed.tenant_id
    )
    states = await connection.fetch("SELECT state FROM mandant.file WHERE tenant_id = $1", signed.tenant_id)
    await connection.close()
    assert (left, [row["state"] for row in states]) == (0, ["leaving"])
    records = f"/tenants/{signed.tenant_id}/modules/clients/records"
    assert (await signed.http.get(f"{records}/count")).json() == {"count": 2}


async def test_30_days_after_its_end_an_import_its_file_and_its_report_are_gone(
    signed: Signed, base: str, services: Services, stack: Stack
) -> None:
    import_id = (await send(signed, base, GOOD_AND_BAD)).json()["id"]
    never_started = (await send(signed, base, GOOD_AND_BAD)).json()["id"]
    running = (await send(signed, base, b"Name\nAnna\n")).json()["id"]
    await signed.http.post(f"{base}/{running}/start")
    await run(signed, base, import_id, services)
    folder = stack.folder / "objects" / str(signed.tenant_id)
    assert len(list(folder.iterdir())) == 3
    clock = stack.clock

    async def tick() -> list[str]:
        await forget_imports(JobContext(services, clock, "forget_imports", 1, 1, None))
        connection = await stack.connect("postgres")
        left = await connection.fetch(
            "SELECT import_id FROM mandant.import_run WHERE tenant_id = $1", signed.tenant_id
        )
        await connection.close()
        return sorted(str(row["import_id"]) for row in left)

    clock.advance(KEPT - timedelta(seconds=1))
    assert await tick() == sorted([import_id, never_started, running])
    clock.advance(timedelta(seconds=2))
    assert await tick() == [running]
    assert len(list(folder.iterdir())) == 1


async def test_another_tenants_import_is_not_found_and_nobody_is_told_to_sign_in(
    sign_up: SignUp, signed: Signed, base: str, http: httpx.AsyncClient
) -> None:
    import_id = (await send(signed, base, b"Name\nAnna\n")).json()["id"]
    stranger = await sign_up()
    theirs = f"/tenants/{stranger.tenant_id}/modules/clients/imports"
    other_module = f"/tenants/{signed.tenant_id}/modules/others/imports"
    for status, client, where in (
        (404, stranger.http, base),
        (404, stranger.http, theirs),
        (404, signed.http, other_module),
        (401, http, base),
    ):
        for method, path in (
            ("GET", ""),
            ("GET", "/preview"),
            ("GET", "/report"),
            ("POST", "/start"),
            ("POST", "/cancel"),
            ("DELETE", ""),
        ):
            answer = await client.request(method, f"{where}/{import_id}{path}")
            assert answer.status_code == status, (method, path, answer.text)
        changed = await client.put(f"{where}/{import_id}/mapping", json={"columns": []})
        assert changed.status_code == status
    assert (await http.post(base, content=b"Name\nAnna\n")).status_code == 401
    assert (await stranger.http.post(base, content=b"Name\nAnna\n")).status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        {"columns": [{"column": "Name", "target": "shoe"}]},
        {"columns": [{"column": "Shoe", "target": "name"}]},
        {"columns": [{"column": "Name", "target": "name"}, {"column": "Name", "target": "number"}]},
        {"columns": [{"column": "Name", "target": "name", "secret": 1}]},
        {"columns": "Name"},
        {"columns": [], "date_order": "ymd"},
        [],
    ],
)
async def test_a_mapping_that_makes_no_sense_is_refused(signed: Signed, base: str, wanted: Any) -> None:
    import_id = (await send(signed, base, b"Name\nAnna\n")).json()["id"]
    refused = await signed.http.put(f"{base}/{import_id}/mapping", json=wanted)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid"), refused.text
    assert (await signed.http.get(f"{base}/{import_id}")).json()["mapping"]["columns"][0]["target"] == "name"


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(300):
                part.write(b" " * MIB)
    return out.getvalue()


UNREADABLE: list[tuple[str, Callable[[], bytes], str]] = [
    ("nothing", lambda: b"", "empty"),
    ("5,000 columns", lambda: b",".join(b"c%d" % i for i in range(5000)) + b"\n1\n", "5000 columns"),
    ("zip bomb", _zip_bomb, "times its size"),
    ("no workbook", lambda: b"PK\x03\x04" + b"x" * 1000, "XLSX"),
    ("a picture", lambda: b"\x89PNG\r\n" + b"\0" * 1000, "picture"),
    ("NUL bytes only", lambda: b"\0" * 5000, "zero bytes"),
    ("blank lines only", lambda: b"\n" * 5000, "headings"),
    ("bytes of some program", lambda: b"\x7fELF\x02\x01\x01\0\n1\n", "no text"),
    ("a heading in another encoding", lambda: b"Gr\xc3\xbc\xc3\xa9\xc3\xa4,N\xff\n1,2\n", "heading"),
]


@pytest.mark.parametrize(("what", "make", "said"), UNREADABLE, ids=[case[0] for case in UNREADABLE])
async def test_a_file_that_cannot_be_read_is_refused_with_a_reason_and_leaves_nothing(
    signed: Signed, base: str, stack: Stack, what: str, make: Callable[[], bytes], said: str
) -> None:
    refused = await send(signed, base, make(), "x")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid"), what
    assert said in refused.json()["errors"][0]["message"]
    assert (await signed.http.get(base)).json()["items"] == []
    folder = stack.folder / "objects" / str(signed.tenant_id)
    assert not folder.exists() or list(folder.iterdir()) == []
    connection = await stack.connect("postgres")
    rows = await connection.fetchval(
        "SELECT count(*) FROM mandant.file WHERE tenant_id = $1", signed.tenant_id
    )
    await connection.close()
    assert rows == 0


async def test_a_form_is_no_file(signed: Signed, base: str) -> None:
    sent = await signed.http.post(base, files={"file": ("clients.csv", GOOD_AND_BAD)})
    assert (sent.status_code, sent.json()["type"]) == (415, "/problems/unsupported-media-type")
    assert (await signed.http.get(base)).json()["items"] == []


def _photo_card() -> bytes:
    photo = b"PHOTO;ENCODING=b;TYPE=JPEG:" + b"\r\n ".join([b"A" * 74] * 700_000)
    return (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna Muster\r\nN:Muster;Anna;;;\r\n" + photo + b"\r\nEND:VCARD\r\n"
    )


HOSTILE: list[tuple[str, Callable[[], bytes], tuple[int, int, int]]] = [
    ("a row with NUL", lambda: b"Name;Number\nAn\0na;1\nBerta;2\n", (1, 0, 1)),
    (
        "a row in another encoding",
        lambda: b"Name;Email\nK\xc3\xa4thi \xc3\xa9\xc3\xa8;\nM\xffller;\n",
        (1, 0, 1),
    ),
    ("a row with more values than columns", lambda: b"Name;Number\nAnna;1;2;3\nBerta;2\n", (1, 0, 1)),
    ("a name of 2 MiB", lambda: b"Name\n" + b"x" * (2 * MIB) + b"\nAnna\n", (1, 0, 1)),
    ("lone surrogates", lambda: b'{"name": "A\\ud800"}\n{"name": "Anna"}\n', (1, 0, 1)),
    ("a nesting bomb", lambda: b'{"name": ' + b"[" * 100_000 + b"\n" + b'{"name": "Anna"}\n', (1, 0, 1)),
    ("no JSON", lambda: b'{"name": "Anna"}\n{"name"\n5\n{"name": 5, "shoe": 1}\n', (1, 0, 3)),
]


@pytest.mark.parametrize(("what", "make", "end"), HOSTILE, ids=[case[0] for case in HOSTILE])
async def test_a_hostile_row_is_a_line_of_the_report_and_the_others_are_in(
    signed: Signed,
    base: str,
    services: Services,
    what: str,
    make: Callable[[], bytes],
    end: tuple[int, int, int],
) -> None:
    sent = await send(signed, base, make())
    assert sent.status_code == 201, (what, sent.text)
    import_id = sent.json()["id"]
    preview = await signed.http.get(f"{base}/{import_id}/preview")
    assert (preview.status_code, preview.json()["bad"]) == (200, end[2])
    assert len(preview.content) < MIB
    assert counted(await run(signed, base, import_id, services)) == end
    report = await signed.http.get(f"{base}/{import_id}/report")
    assert report.status_code == 200


async def test_a_card_with_a_photo_of_50_megabytes_is_a_person(
    signed: Signed, base: str, services: Services
) -> None:
    import_id = (await send(signed, base, _photo_card(), "anna.vcf")).json()["id"]
    wanted = {"columns": [{"column": "FN", "target": "name"}]}
    assert (await signed.http.put(f"{base}/{import_id}/mapping", json=wanted)).status_code == 200
    assert counted(await run(signed, base, import_id, services)) == (1, 0, 0)


async def test_a_file_of_nothing_but_problems_has_a_bounded_preview(signed: Signed, base: str) -> None:
    import_id = (await send(signed, base, b"Name;Number\n" + b";1\n" * 50_000)).json()["id"]
    seen = (await signed.http.get(f"{base}/{import_id}/preview")).json()
    assert (seen["bad"], seen["problem_count"], len(seen["problems"])) == (50_000, 50_000, 1_000)


async def test_a_file_over_the_limit_is_413(signed: Signed, base: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(110):
            yield b"x" * MIB

    refused = await signed.http.post(base, content=endless())
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")
    assert (await signed.http.get(base)).json()["items"] == []
