"""The tour: it proves what it says, and it can fail."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from mandant.service.demo.companies import ALPENGLUT
from mandant.service.tour.plaintext import records_of, search_bytes, search_folder, values_of
from mandant.service.tour.telling import Teller


@pytest.fixture
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mandant-tour-"))
    folder.chmod(0o755)  # as root the server's user must reach it
    yield folder
    shutil.rmtree(folder)


def quiet() -> tuple[Teller, io.StringIO]:
    written = io.StringIO()
    return Teller(Console(file=written, width=90, highlight=False, soft_wrap=True)), written


def test_every_promise_of_the_tour_holds(var: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MANDANT")}
    done = subprocess.run(
        [sys.executable, "-m", "mandant", "tour"],
        env=kept | {"MANDANT_VAR": str(var), "COLUMNS": "90"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = json.loads((var / "tour" / "steps.json").read_text())
    assert len(steps) == 13
    assert all(step["ok"] and step["name"] and step["promise"] for step in steps)
    figures = {name: value for step in steps for name, value in step["figures"].items()}
    assert figures["dump_hits"] == figures["disk_hits"] == 0
    assert figures["planted_hits"] > 0
    assert figures["values"] > 1_000
    assert (figures["rows_no_tenant"], figures["rows_wrong_tenant"]) == (0, 0)
    assert "13 of 13 steps held" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_step_with_one_broken_promise_has_not_held() -> None:
    tell, written = quiet()
    tell.begin("a step", "a promise")
    tell.proves("first", True, hits=0)
    tell.proves("second", False)
    tell.proves("third", True)
    tell.end()
    assert not tell.results[0].ok
    assert tell.results[0].figures == {"hits": 0}
    assert "DOES NOT HOLD: second" in written.getvalue()


def test_a_step_that_proves_nothing_has_not_held() -> None:
    tell, _ = quiet()
    tell.begin("a step", "a promise")
    tell.end()
    assert not tell.results[0].ok


def test_the_search_finds_text_and_the_hex_of_bytes(tmp_path: Path) -> None:
    value = "Grüter, Seeweg 98"
    (tmp_path / "open").write_text(f"... {value} ...")
    (tmp_path / "dumped").write_text(f"\\\\x00{value.encode().hex()}00")
    (tmp_path / "clean").write_bytes(os.urandom(100))
    assert search_bytes(value.encode(), [value, "another one"]).found == 1
    hits = search_folder(tmp_path, [value])
    assert (hits.files, hits.found) == (3, 2)


def test_what_is_searched_for_is_what_the_files_say() -> None:
    values = values_of(ALPENGLUT, records_of(ALPENGLUT))
    assert {"Meret Oberholzer", "meret@alpenglut.example", "Ivo Grüter", "Seeweg 98"} <= set(values)
    assert "ivo.gruter.0@velofreunde.example" in values
    assert len(values) > 500
