"""pgrls, a linter of row-level security by others, over the live database: nothing without a written reason."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Stack

_RECORD = "ALTER TABLE mandant.record"
CONFIG = Path(__file__).with_name("pgrls.toml")


def findings(stack: Stack, config: Path) -> set[tuple[str, str]]:
    """(rule, object), of every severity."""
    url = stack.data_url("postgres")
    command = [sys.executable, "-m", "pgrls", "lint", "--config", str(config), "--database-url", url]
    said = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    assert said.returncode in (0, 1), said.stderr
    report = json.loads(said.stdout)
    return {(one["rule_id"], one["location"]) for one in report["violations"]}


async def test_pgrls_reports_nothing(stack: Stack) -> None:
    assert findings(stack, CONFIG) == set()


async def test_every_exception_still_excuses_something(stack: Stack, tmp_path: Path) -> None:
    settings = tomllib.loads(CONFIG.read_text())
    bare = tmp_path / "bare.toml"
    bare.write_text(f"[database]\nschemas = {json.dumps(settings['database']['schemas'])}\n")

    found = findings(stack, bare)

    excused = {
        (rule, name) for rule, options in settings["lint"]["rules"].items() for name in options["allowlist"]
    }
    assert sorted(excused - found) == []
    assert set(settings["lint"]["disable"]) <= {rule for rule, _ in found}


@pytest.mark.parametrize(
    ("mistake", "rule", "undo"),
    [
        (f"{_RECORD} NO FORCE ROW LEVEL SECURITY", "SEC002", f"{_RECORD} FORCE ROW LEVEL SECURITY"),
        (f"{_RECORD} DISABLE ROW LEVEL SECURITY", "SEC032", f"{_RECORD} ENABLE ROW LEVEL SECURITY"),
        (
            "CREATE POLICY careless ON mandant.record FOR SELECT TO mandant_app USING (true)",
            "SEC008",
            "DROP POLICY careless ON mandant.record",
        ),
        (
            "CREATE VIEW mandant.careless AS SELECT * FROM mandant.record",
            "VIEW001",
            "DROP VIEW mandant.careless",
        ),
        (
            f"{_RECORD} ADD CONSTRAINT careless UNIQUE (sealed)",
            "SEC035",
            f"{_RECORD} DROP CONSTRAINT careless",
        ),
    ],
)
async def test_pgrls_can_fail_a_mistake_is_reported(stack: Stack, mistake: str, rule: str, undo: str) -> None:
    admin: Any = await stack.connect("postgres")
    await admin.execute(mistake)
    try:
        assert rule in {one for one, _ in findings(stack, CONFIG)}
    finally:
        await admin.execute(undo)
        await admin.close()
