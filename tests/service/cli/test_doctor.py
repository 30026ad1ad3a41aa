"""`mandant doctor`: well, it says so; break one thing, and the line of that thing says what to do."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from mandant.service.databases import Databases
from mandant.service.doctor import examine
from mandant.service.doctor.agreements import about_edition
from mandant.service.doctor.clocks import check_clocks
from mandant.service.doctor.encryption import about_browsers, about_database
from mandant.service.doctor.line import Line
from mandant.service.doctor.patient import Patient
from mandant.service.doctor.storage import about_room
from mandant.service.settings import Settings
from mandant.vault.clock import MovingClock, SystemClock
from mandant.vault.keys import record_fact
from tests.service.cli.command import environment, mandant
from tests.stack import Stack


async def lines_of(environ: dict[str, str]) -> list[Line]:
    return [line async for line in examine(environ, SystemClock())]


def only(lines: list[Line], part: str, name: str) -> Line:
    found = [line for line in lines if line.part == part and name in line.name]
    assert len(found) == 1, [line for line in lines if line.part == part]
    return found[0]


def wrongs(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.status == "wrong"]


@asynccontextmanager
async def broken(
    stack: Stack, breaking: str, mending: str, database: str | None = None
) -> AsyncIterator[None]:
    """As superuser: one statement now, the other one afterwards."""
    name = database or stack.data_name
    admin = await asyncpg.connect(stack.server.dsn("postgres", name))
    try:
        await admin.execute(breaking)
        try:
            yield
        finally:
            await admin.execute(mending)
    finally:
        await admin.close()


async def test_a_healthy_installation_has_nothing_wrong_and_shows_no_secret(stack: Stack) -> None:
    environ = environment(stack)
    shown = await mandant(environ, "doctor")
    assert shown.code == 0, shown.said
    assert "0 wrong" in shown.output
    for part in ("settings", "connections", "migrations", "roles", "row-level security", "KMS", "clock"):
        assert part in shown.output
    for role in ("mandant_app", "mandant_worker", "mandant_owner"):
        password = stack.data_url(role).split("@")[0].rpartition(":")[2]
        assert password not in shown.said
    assert "postgresql://mandant_app:***@" in shown.output


async def test_json_holds_the_same_lines(stack: Stack) -> None:
    ended = await mandant(environment(stack, MANDANT_HOTS="x"), "doctor", "--json")
    assert ended.code == 0
    lines = json.loads(ended.output)
    assert {line["status"] for line in lines} <= {"ok", "warning"}
    assert {"part", "name", "status", "said", "todo"} == set(lines[0])
    assert [line["todo"] for line in lines if line["name"] == "MANDANT_HOTS"] == [
        "did you mean MANDANT_HOST?"
    ]


async def test_a_wrong_setting_ends_with_one_and_is_named_without_its_value(stack: Stack) -> None:
    ended = await mandant(environment(stack, MANDANT_KEY_TTL="secret-600"), "doctor")
    assert ended.code == 1
    assert "MANDANT_KEY_TTL" in ended.output
    assert "from 1 to 60" in ended.output
    assert "secret-600" not in ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("variable", "value", "name", "todo"),
    [
        ("MANDANT_DATABASE_URL", "postgresql://mandant_app@127.0.0.1:9/x", "data as mandant_app", "running"),
        ("MANDANT_DATABASE_WORKER_URL", "", "data as mandant_worker", "MANDANT_DATABASE_WORKER_URL"),
    ],
)
async def test_a_connection_that_cannot_be_made(
    stack: Stack, variable: str, value: str, name: str, todo: str
) -> None:
    lines = await lines_of(environment(stack, **{variable: value}))
    line = only(lines, "connections", name)
    assert line.status == "wrong"
    assert todo in line.todo


async def test_a_wrong_password_a_missing_database_and_another_role(stack: Stack) -> None:
    url = stack.data_url()
    password = url.split("@")[0].rpartition(":")[2]
    for wrong, said in (
        (url.replace(password, "wrong"), "database init"),
        (url.replace(stack.data_name, "nowhere"), "database init"),
        (stack.data_url("mandant_worker"), "has to name mandant_app"),
    ):
        line = only(
            await lines_of(environment(stack, MANDANT_DATABASE_URL=wrong)),
            "connections",
            "data as mandant_app",
        )
        assert line.status == "wrong"
        assert said in line.todo


@pytest.mark.parametrize(
    ("part", "name", "breaking", "mending", "said"),
    [
        (
            "row-level security",
            "mandant.record",
            "ALTER TABLE mandant.record DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE mandant.record ENABLE ROW LEVEL SECURITY",
            "is off",
        ),
        (
            "row-level security",
            "mandant.membership",
            "ALTER TABLE mandant.membership NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE mandant.membership FORCE ROW LEVEL SECURITY",
            "its owner goes around",
        ),
        (
            "row-level security",
            "mandant.record",
            "CREATE POLICY open ON mandant.record FOR SELECT TO mandant_app USING (true)",
            "DROP POLICY open ON mandant.record",
            "shows rows of others",
        ),
        (
            "row-level security",
            "directory.entry",
            "CREATE POLICY open ON directory.entry FOR SELECT TO mandant_worker USING (true)",
            "DROP POLICY open ON directory.entry",
            "the application has a policy",
        ),
        (
            "row-level security",
            "mandant.boat",
            "CREATE TABLE mandant.boat (tenant_id uuid); ALTER TABLE mandant.boat OWNER TO mandant_owner",
            "DROP TABLE mandant.boat",
            "is off",
        ),
        (
            "roles",
            "data: mandant.boat",
            "CREATE TABLE mandant.boat (id int); ALTER TABLE mandant.boat OWNER TO mandant_app;"
            " ALTER TABLE mandant.boat ENABLE ROW LEVEL SECURITY; ALTER TABLE mandant.boat FORCE ROW LEVEL SECURITY",
            "DROP TABLE mandant.boat",
            "belongs to mandant_app",
        ),
        (
            "roles",
            "data: mandant_app",
            "ALTER ROLE mandant_app BYPASSRLS",
            "ALTER ROLE mandant_app NOBYPASSRLS",
            "may bypassrls",
        ),
        (
            "roles",
            "data: mandant_worker",
            "GRANT mandant_owner TO mandant_worker",
            "REVOKE mandant_owner FROM mandant_worker",
            "is a member of mandant_owner",
        ),
        (
            "roles",
            "data: mandant_index",
            "ALTER ROLE mandant_index LOGIN",
            "ALTER ROLE mandant_index NOLOGIN",
            "may sign in",
        ),
        (
            "migrations",
            "data",
            "UPDATE mandant.schema_version SET version_num = '0001_ground'",
            "UPDATE mandant.schema_version SET version_num = '{head}'",
            "at 0001_ground",
        ),
    ],
)
async def test_what_somebody_changed_by_hand_is_named(
    stack: Stack, part: str, name: str, breaking: str, mending: str, said: str
) -> None:
    from mandant.service.migrations import head

    async with broken(stack, breaking, mending.replace("{head}", head("data"))):
        lines = await lines_of(environment(stack))
    line = only(lines, part, name)
    assert line.status == "wrong"
    assert said in line.said
    assert line.todo
    assert wrongs(await lines_of(environment(stack))) == []


async def test_key_file_open_to_others_damaged_older_or_missing(stack: Stack, tmp_path: Path) -> None:
    whole = (stack.folder / "keys.json").read_bytes()
    copy = tmp_path / "keys.json"
    environ = environment(stack, MANDANT_KEY_FILE=str(copy))
    for content, mode, said in (
        (whole, 0o644, "chmod 600"),
        (whole[:-40], 0o600, "damaged"),
        (None, 0o600, "Restore the file"),
    ):
        copy.unlink(missing_ok=True)
        if content is not None:
            copy.write_bytes(content)
            copy.chmod(mode)
        line = next(line for line in await lines_of(environ) if line.part == "key file")
        assert line.status == "wrong"
        assert said in line.todo
    control = stack.control_name
    async with broken(
        stack,
        "UPDATE control.key_file SET counter = counter + 5",
        "UPDATE control.key_file SET counter = counter - 5",
        control,
    ):
        assert only(await lines_of(environment(stack)), "key file", "counter").status == "wrong"


async def test_a_kms_key_that_is_not_enabled_or_another_providers(stack: Stack) -> None:
    gone = "'local/00000000-0000-0000-0000-000000000000'"
    admin = await asyncpg.connect(stack.server.dsn("postgres", stack.control_name))
    try:
        before = await admin.fetchval("SELECT key_ref FROM control.epoch")
    finally:
        await admin.close()
    for breaking, said in (
        (f"UPDATE control.epoch SET key_ref = {gone}", "gone"),
        ("UPDATE control.epoch SET provider = 'aws'", "its key is aws's"),
    ):
        mending = f"UPDATE control.epoch SET key_ref = '{before}', provider = 'local'"
        async with broken(stack, breaking, mending, stack.control_name):
            line = only(await lines_of(environment(stack)), "KMS", "epoch 1")
        assert line.status == "wrong"
        assert said in line.said


async def test_a_machine_whose_clock_is_off_is_measured(stack: Stack) -> None:
    settings = Settings.from_env(environment(stack))
    for off, status in ((timedelta(seconds=1), "ok"), (timedelta(seconds=-90), "wrong")):
        patient = Patient(settings, Databases(settings, None), MovingClock(datetime.now(UTC) + off))
        for tree, url in (("data", stack.data_url()), ("control", stack.control_url())):
            connection: Any = await asyncpg.connect(url)
            patient.connections[tree, "mandant_app"] = connection  # type: ignore[index]
        lines = [line async for line in check_clocks(patient)]
        await patient.close()
        assert [line.status for line in lines] == [status, status]


async def test_an_object_store_that_cannot_be_written_to(stack: Stack, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    line = only(
        await lines_of(environment(stack, MANDANT_OBJECTS_FOLDER=str(blocked / "objects"))),
        "object store",
        "folder",
    )
    assert line.status == "wrong"
    assert list(tmp_path.iterdir()) == [blocked]


async def test_a_fact_that_data_has_not_seen_and_one_that_control_does_not_know(stack: Stack) -> None:
    tenant = await stack.tenant()
    async with stack.control.transaction() as connection:
        await record_fact(connection, tenant.tenant_id, "rotated", {}, stack.clock.now())
    line = only(await lines_of(environment(stack)), "facts", "behind control")
    assert (line.status, line.said) == ("warning", "1 tenants and persons are not served")
    whose = f"WHERE tenant_id = '{tenant.tenant_id}'"
    async with broken(
        stack,
        f"UPDATE mandant.tenant SET key_state = 2 {whose}",
        f"UPDATE mandant.tenant SET key_state = 1 {whose}",
    ):
        assert only(await lines_of(environment(stack)), "facts", "ahead of control").status == "wrong"
    assert only(await lines_of(environment(stack)), "facts", "data").status == "ok"


async def test_jobs_that_gave_up_and_a_worker_whose_heart_beats(stack: Stack) -> None:
    lines = await lines_of(environment(stack))
    assert only(lines, "jobs", "worker").status == "warning"
    async with broken(
        stack,
        "INSERT INTO queue.procrastinate_workers DEFAULT VALUES;"
        "INSERT INTO queue.procrastinate_jobs (queue_name, task_name, args, status)"
        " VALUES ('operator', 'x', '{}', 'failed')",
        "DELETE FROM queue.procrastinate_jobs; DELETE FROM queue.procrastinate_workers",
    ):
        lines = await lines_of(environment(stack))
    assert only(lines, "jobs", "worker").status == "ok"
    assert only(lines, "jobs", "exhausted").said == "1 gave up"


@pytest.mark.parametrize(
    ("url", "encrypted", "status"),
    [
        ("postgresql://mandant_app@/mandant?host=/run/postgresql", False, "ok"),
        ("postgresql://mandant_app@localhost/mandant", False, "ok"),
        ("postgresql://mandant_app@db.example/mandant", False, "wrong"),
        ("postgresql://mandant_app@db.example/mandant?sslmode=require", True, "warning"),
        ("postgresql://mandant_app@db.example/mandant?sslmode=verify-full", True, "ok"),
    ],
)
def test_a_database_over_the_network_has_to_be_encrypted(url: str, encrypted: bool, status: str) -> None:
    assert about_database("data", url, encrypted=encrypted).status == status


def test_browsers_have_to_come_over_https() -> None:
    assert about_browsers(None, "127.0.0.1").status == "ok"
    assert about_browsers(None, "0.0.0.0").status == "warning"  # noqa: S104 - an example
    assert about_browsers("http://app.example", "127.0.0.1").status == "wrong"
    assert about_browsers("https://app.example", "127.0.0.1").status == "ok"


def test_a_full_disk_and_an_edition_of_tomorrow() -> None:
    assert [about_room("var", gib << 30).status for gib in (0, 3, 50)] == ["wrong", "warning", "ok"]
    assert about_edition("terms", "2026-11", date(2026, 10, 31)).status == "wrong"
    assert about_edition("terms", "2026-11", date(2026, 11, 1)).status == "ok"
