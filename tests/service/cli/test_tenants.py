"""`mandant tenants` against two real databases."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from click.testing import CliRunner, Result

from mandant.service.cli.tenants import tenants
from tests.stack import Stack

Run = Callable[..., Awaitable[Result]]
OWNER = ("--company", "Muster AG", "--domain", "muster.example", "--country", "ch", "--name", "Anna Muster")


@pytest.fixture
def mandant_tenants(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MANDANT_DATABASE_URL", stack.data_url())
    monkeypatch.setenv("MANDANT_CONTROL_URL", stack.control_url())
    monkeypatch.setenv("MANDANT_KEY_FILE", str(stack.folder / "keys.json"))
    monkeypatch.setenv("MANDANT_VAR", str(stack.folder))
    monkeypatch.setenv("MANDANT_NEW_PASSWORD", "correct horse battery")
    monkeypatch.setenv("COLUMNS", "80")

    async def run(*words: str) -> Result:
        # Its own event loop, as on the command line.
        return await asyncio.to_thread(lambda: CliRunner().invoke(tenants, words))

    return run


async def test_a_tenant_is_created_listed_and_shown(mandant_tenants: Run) -> None:
    made = await mandant_tenants("create", *OWNER, "--email", "anna@muster.example", "--accept")
    assert made.exit_code == 0, made.output
    tenant_id = made.output.split()[1]

    listed = await mandant_tenants("list")
    assert tenant_id in listed.output
    assert "Muster AG" in listed.output
    assert "active" in listed.output
    shown = (await mandant_tenants("show", tenant_id)).output
    assert "muster.example" in shown
    assert "dpa" in shown

    again = await mandant_tenants("create", *OWNER, "--email", "anna@muster.example", "--accept")
    assert again.exit_code == 1
    assert "has a sign-in already" in again.output


async def test_what_is_refused_is_said_in_one_line(mandant_tenants: Run) -> None:
    without = await mandant_tenants("create", *OWNER, "--email", "b@muster.example")
    assert "--accept" in without.output
    short = await mandant_tenants(
        "create", *OWNER, "--email", "b@muster.example", "--accept", "--password", "short"
    )
    assert "12 to 1024 characters" in short.output
    unknown = await mandant_tenants("show", "00000000-0000-0000-0000-000000000001")
    assert "no such tenant" in unknown.output
    assert [one.exit_code for one in (without, short, unknown)] == [1, 1, 1]
