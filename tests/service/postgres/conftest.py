"""A folder for a server of a test's own, and processes that start one."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mandant.service.postgres.orphans import processes_in, stop_orphans

Starter = Callable[..., subprocess.Popen[str]]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def var() -> Iterator[Path]:
    """Under the temporary folder itself: pytest's own is closed to the user that root's server runs as."""
    folder = Path(tempfile.mkdtemp(prefix="mandant-var-"))
    folder.chmod(0o755)
    yield folder
    data = folder / "postgres" / "data"
    if data.exists():
        stop_orphans(data)
    shutil.rmtree(folder)


@pytest.fixture
def starter() -> Iterator[Starter]:
    """`starter(folder, python=..., **popen)` starts a process that holds a server, and kills it after."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, python: str = sys.executable, **popen: Any) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
        process = subprocess.Popen(
            [python, str(Path(__file__).with_name("starter.py")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
            **popen,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def first_word(process: subprocess.Popen[str]) -> str:
    """The starter's line: `ready ...`, or the name of its error and the message."""
    assert process.stdout is not None
    return process.stdout.readline()


def wait_until_gone(data: Path) -> bool:
    """Whether PostgreSQL's processes ended within a minute; it asks again and again."""
    deadline = time.monotonic() + 60
    while processes_in(data) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes_in(data)
