"""What is installed is declared, explained, pinned by hash, and names no address."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.txt", "requirements-dev.txt")


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0].lower()


RUNS = {name_of(one) for one in PYPROJECT["project"]["dependencies"]}
CHOICE = {name_of(one) for one in PYPROJECT["project"]["optional-dependencies"]["otel"]}
BUILDS = {name_of(one) for one in PYPROJECT["dependency-groups"]["build"]}
TESTS = {name_of(one) for one in PYPROJECT["dependency-groups"]["dev"]}


def pinned(lock: str) -> dict[str, str]:
    """Every `name==version` of a lock."""
    return dict(
        re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ]+)", (ROOT / lock).read_text(), re.MULTILINE)
    )


def test_every_dependency_has_its_line_and_every_line_its_dependency() -> None:
    rows = re.findall(
        r"^\| ([a-z][a-z0-9-]+) \| \S", (ROOT / "docs" / "DEPENDENCIES.md").read_text(), re.MULTILINE
    )
    assert {*rows} - {"package"} == RUNS | CHOICE | BUILDS | TESTS
    assert len(rows) == len({*rows}) + 3  # four tables, each with its head


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^--|^-", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text)
    assert all("--hash=sha256:" in block for block in blocks if not block.startswith("#"))


def test_the_locks_hold_what_is_declared_and_agree() -> None:
    runs, tests = (pinned(lock) for lock in LOCKS)
    assert runs.keys() >= RUNS | BUILDS
    assert tests.keys() >= RUNS | BUILDS | CHOICE | TESTS
    assert runs.items() <= tests.items()
