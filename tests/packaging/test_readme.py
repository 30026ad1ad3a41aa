"""What the README says is so: its code runs, its links lead somewhere, its commands exist."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mandant.service.cli.main import COMMANDS, mandant
from mandant.service.tour import at_rest, isolated, killed, resumed, tampered
from mandant.service.tour.walking import STEPS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
DOCUMENTS = [ROOT / name for name in ("README.md", "SECURITY.md", "docs/OPERATIONS.md")]


def ran(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - our own text
    return names


def test_the_first_block_is_the_application_that_the_wheel_is_tested_with() -> None:
    assert BLOCKS[0] == (ROOT / "tests/packaging/host/app.py").read_text()


def test_the_application_offers_its_module() -> None:
    app = ran(BLOCKS[0])["app"]
    plugin = next(one for one in app.plugins if type(one).__name__ == "MandantPlugin")
    paths = plugin.ours.openapi_schema.paths
    base = "/api/v1/tenants/{tenant_id}/modules/contacts"
    assert {f"{base}/records", f"{base}/records/search", f"{base}/imports", f"{base}/export"} <= set(paths)


def test_the_module_that_is_declared_reads_what_version_1_stored() -> None:
    names = ran(BLOCKS[1])
    bikes = names["bikes"]
    bikes.check()
    assert [field.path for field in bikes.unique_fields] == ["frame_number"]
    older = {"frame_number": "F 1", "owner_email": "anna@muster.example", "name": "Tourer"}
    assert bikes.decode(b"\0\1" + msgspec.msgpack.encode(older)).model == "Tourer"
    assert len(BLOCKS) == 2


def test_the_steps_of_the_tour_that_prove_a_row_are_those_of_these_numbers() -> None:
    named = {5: at_rest, 6: isolated, 8: tampered, 3: killed, 12: resumed}
    assert {number: STEPS[number - 1] for number in named} == named
    rows = [line for line in README.splitlines() if line.startswith("| ") and "`make tour`" in line]
    assert {int(number) for row in rows for number in re.findall(r"\b\d+\b", row.split("|")[3])} == set(named)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert links
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([a-z]+)", text, re.MULTILINE)) <= made
    for name, word in re.findall(r"`mandant ([a-z]+)(?: ([a-z][a-z-]+))?", text):
        assert name in COMMANDS, name
        command = mandant.get_command(None, name)  # type: ignore[arg-type]
        if word:
            assert word in getattr(command, "commands", {}), (name, word)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    known = set(re.findall(r'"(MANDANT_[A-Z_]+)"', (ROOT / "service/settings.py").read_text()))
    known.add("MANDANT_NEW_PASSWORD")
    named = set(re.findall(r"\bMANDANT_[A-Z_]+[A-Z]\b", document.read_text()))
    assert named - known == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_is_named_exists(document: Path) -> None:
    for path, name in re.findall(r"`(tests/[\w/.]+?)(?:::(\w+))?`", document.read_text()):
        assert (ROOT / path).exists(), path
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(), name
