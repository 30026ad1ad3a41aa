"""One PostgreSQL for the whole run, databases made from it, and a loud word about tests that did not run."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from mandant.service.postgres import EmbeddedPostgres
from mandant.service.postgres.roles import ensure_database
from mandant.tenants.people import PasswordCost, Passwords, People
from tests.no_network import no_network_in_transactions  # noqa: F401 - a fixture for every test
from tests.stack import Stack, make_templates, open_stack
from tests.tools import MISSING

MakeDatabase = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """The embedded server, with all roles and the two empty databases; fsync is off."""
    folder = Path(tempfile.mkdtemp(prefix="mandant-tests-"))
    folder.chmod(0o755)  # as root the server's user must reach it
    try:
        fast = {
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": "300",
        }
        async with EmbeddedPostgres(folder, fast) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def make_database(postgres: EmbeddedPostgres) -> MakeDatabase:
    """`await make_database(name, template=None)`: a fresh database; an old one of that name goes."""

    async def make(name: str, template: str | None = None) -> str:
        admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
        try:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await ensure_database(admin, name, template=template)
        finally:
            await admin.close()
        return name

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def templates(postgres: EmbeddedPostgres) -> None:
    """Both databases, migrated once."""
    await make_templates(postgres)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(
    postgres: EmbeddedPostgres,
    templates: None,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    """An installation that the tests of one module share: two databases, keys, a keyring, a clock."""
    name = hashlib.blake2b(request.node.nodeid.encode(), digest_size=6).hexdigest()
    async for opened in open_stack(postgres, name, tmp_path_factory.mktemp("stack")):
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(stack: Stack) -> AsyncIterator[People]:
    """People on the module's installation, with the cheapest password hash that is allowed."""
    passwords = Passwords(PasswordCost(2, 19 << 20))
    yield People(
        stack.data,
        stack.control,
        stack.keyring,
        stack.provider,
        stack.clock,
        passwords,
        refusal_seconds=0.0,
    )
    passwords.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names every test that did not run, last of all and in colour."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section(f"{len(skipped)} NOT RUN", red=True, bold=True)
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {reason}", yellow=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under CI a missing tool is a failure: there it was to be installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and any(MISSING in str(report.longrepr) for report in skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
