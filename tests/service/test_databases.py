"""Where the databases are: the settings' servers, or the one embedded server that the first process holds."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from mandant.service.databases import databases
from mandant.service.opening import open_runtime
from mandant.service.settings import Settings


async def test_the_first_process_starts_and_migrates_the_embedded_server(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings(var=tmp_path / "var")
    async with databases(settings) as first:
        address = first.data("mandant_app")
        assert await first.migrations_current() == "ok"
        async with asyncio.timeout(10), databases(settings) as second:
            assert second.data("mandant_app") == address
            connection = await asyncpg.connect(second.control("mandant_app"))
            assert await connection.fetchval("SELECT current_user") == "mandant_app"
            await connection.close()
    with pytest.raises(OSError):
        await asyncpg.connect(address)


async def test_two_at_once_end_with_one_server(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings(var=tmp_path / "var")
    both = asyncio.Barrier(2)

    async def one() -> str:
        async with databases(settings) as found:
            said = await found.migrations_current()
            await both.wait()
            return f"{said} {found.data('mandant_app')}"

    said = await asyncio.gather(one(), one())
    assert said[0] == said[1]
    assert said[0].startswith("ok ")


async def test_a_runtime_opens_on_an_empty_folder_and_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings(var=tmp_path / "var")
    for _ in range(2):
        async with open_runtime(settings, []) as runtime:
            assert {part: await check() for part, check in runtime.checks.items()} == dict.fromkeys(
                ("data", "control", "kms", "migrations"), "ok"
            )


async def test_a_role_without_a_url_is_named(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, database_url="postgresql:///data", control_url="postgresql:///control")
    async with databases(settings) as found:
        assert found.data("mandant_app") == "postgresql:///data"
        assert found.control("mandant_worker") == "postgresql:///control"
        with pytest.raises(LookupError, match="mandant_owner"):
            found.data("mandant_owner")
