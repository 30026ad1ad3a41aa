"""As root: folders that the server's unprivileged user cannot enter (a home, a 0700 clone)."""

import os
import shutil
from pathlib import Path

import asyncpg
import pytest

from mandant.service.postgres import EmbeddedPostgres, binaries, cluster
from mandant.service.postgres.account import pick_account, reaches

FAST = {"fsync": "off"}
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server runs as that user")


@pytest.fixture
def shared(var: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /var/lib/mandant."""
    shared = var / "shared"
    monkeypatch.setattr(cluster, "SHARED", shared)
    monkeypatch.setattr(binaries, "SHARED", shared)
    return shared


async def test_a_closed_var_holds_a_link_to_data_that_the_server_reaches(var: Path, shared: Path) -> None:
    closed = var / "closed"
    closed.mkdir(mode=0o700)
    for _ in range(2):
        async with EmbeddedPostgres(closed, FAST) as server:
            connection = await asyncpg.connect(server.dsn("mandant_app", "mandant"))
            await connection.close()
            assert server.data.resolve().parent == shared
    assert closed.stat().st_mode & 0o777 == 0o700


async def test_programs_in_a_closed_environment_are_copied_once(
    var: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = var / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.wheel_binaries().parents[1]
    shutil.copytree(package, closed / package.name, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    hidden = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr(binaries, "wheel_binaries", lambda: hidden)
    assert not reaches(pick_account(var / "none"), hidden / "postgres")
    async with EmbeddedPostgres(closed, FAST) as server:
        first = server.binaries
    assert first is not None
    assert first.is_relative_to(shared)
    made = first.stat().st_ctime_ns
    async with EmbeddedPostgres(closed, FAST) as server:
        assert server.binaries == first
    assert first.stat().st_ctime_ns == made
