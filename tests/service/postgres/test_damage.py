"""A damaged data directory is told apart and left as it is."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from mandant.service.postgres import EmbeddedPostgres, PostgresError
from mandant.service.postgres.cluster import explain
from mandant.service.postgres.errors import DamagedData, DataGone, DiskFull, WrongOwner, WrongVersion

FAST = {"fsync": "off"}


@pytest.fixture
async def data(var: Path) -> Path:
    """The data directory of a server that was stopped in order."""
    async with EmbeddedPostgres(var, FAST) as server:
        return server.data


def names_under(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


async def refusal(data: Path) -> PostgresError:
    """The error of a start, after which every file is still there."""
    before = names_under(data)
    with pytest.raises(PostgresError) as caught:
        await EmbeddedPostgres(data.parents[1], FAST).start()
    assert names_under(data) == before
    return caught.value


async def test_a_missing_version_file(data: Path) -> None:
    (data / "PG_VERSION").unlink()
    error = await refusal(data)
    assert isinstance(error, DamagedData)
    assert "PG_VERSION cannot be read" in str(error)
    assert "restore a backup" in str(error)


async def test_another_major_version(data: Path) -> None:
    (data / "PG_VERSION").write_text("15\n")
    error = await refusal(data)
    assert isinstance(error, WrongVersion)
    assert "written by PostgreSQL 15" in str(error)


@pytest.mark.parametrize("part", ["base", "global", "pg_wal", "pg_xact", "postgresql.conf", "pg_hba.conf"])
async def test_a_missing_part(data: Path, part: str) -> None:
    (data / part).rename(data / f"{part}.away")
    assert f"{part} is missing" in str(await refusal(data))


async def test_a_control_file_with_a_flipped_bit(data: Path) -> None:
    control = data / "global" / "pg_control"
    content = bytearray(control.read_bytes())
    content[40] ^= 1
    control.write_bytes(content)
    assert "pg_control" in str(await refusal(data))


async def test_a_control_file_cut_short(data: Path) -> None:
    os.truncate(data / "global" / "pg_control", 100)
    assert "pg_control" in str(await refusal(data))


async def test_a_missing_write_ahead_log_is_told_in_the_servers_words_and_ours(data: Path) -> None:
    for segment in (data / "pg_wal").glob("0*"):
        segment.unlink()
    message = str(await refusal(data))
    assert "could not locate a valid checkpoint record" in message
    assert "restore a backup" in message
    assert "server.log" in message


async def test_a_configuration_with_an_unknown_setting(data: Path) -> None:
    with (data / "postgresql.conf").open("a") as conf:
        conf.write("\nno_such_setting = on\n")
    assert "no_such_setting" in str(await refusal(data))


async def test_data_that_is_gone_is_not_taken_for_a_first_start(data: Path) -> None:
    data.rename(data.with_name("elsewhere"))
    with pytest.raises(DataGone, match="Mount or restore it"):
        await EmbeddedPostgres(data.parents[1]).start()
    assert not data.exists()


async def test_passwords_that_are_gone(data: Path) -> None:
    (data.parent / "passwords.json").unlink()
    assert "passwords.json" in str(await refusal(data))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_data_of_roots_own(data: Path) -> None:
    os.chown(data, 0, 0)
    error = await refusal(data)
    assert isinstance(error, WrongOwner)
    assert "belongs to root" in str(error)


async def test_a_full_disk(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9 << 20, 1 << 20))
    with pytest.raises(DiskFull, match="1 MB left"):
        await EmbeddedPostgres(var).start()


async def test_an_initdb_that_was_killed_is_begun_again(var: Path) -> None:
    unfinished = var / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    (var / "postgres" / "passwords.new").write_text("{")
    async with EmbeddedPostgres(var, FAST) as server:
        assert server.data.is_dir()
    assert not unfinished.exists()


def test_a_disk_that_fills_while_the_server_starts_is_explained() -> None:
    log = "2026-01-01 00:00:00 UTC [7] FATAL:  could not write to file: No space left on device\n"
    assert explain(log).endswith("the disk is full: make room, then start again")
