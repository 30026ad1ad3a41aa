"""The command line in a process of its own, on the databases of a stack."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path

from tests.stack import Stack

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ended:
    """How a command ended. `said`: what stands on standard output and standard error, one after the other."""

    code: int
    output: str
    errors: str

    @property
    def said(self) -> str:
        return self.output + self.errors


def environment(stack: Stack, **more: str) -> dict[str, str]:
    """The variables of an installation whose databases are the stack's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MANDANT_")}
    return {
        **clean,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "MANDANT_DATABASE_URL": stack.data_url(),
        "MANDANT_DATABASE_WORKER_URL": stack.data_url("mandant_worker"),
        "MANDANT_DATABASE_OWNER_URL": stack.data_url("mandant_owner"),
        "MANDANT_CONTROL_URL": stack.control_url(),
        "MANDANT_CONTROL_WORKER_URL": stack.control_url("mandant_worker"),
        "MANDANT_CONTROL_OWNER_URL": stack.control_url("mandant_owner"),
        "MANDANT_KEY_FILE": str(stack.folder / "keys.json"),
        "MANDANT_VAR": str(stack.folder / "var"),
        **more,
    }


async def begin(environ: dict[str, str], *words: str) -> Process:
    """`mandant WORDS`, started."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mandant",
        *words,
        env=environ,
        cwd=ROOT,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def mandant(environ: dict[str, str], *words: str) -> Ended:
    """`mandant WORDS`, to its end."""
    process = await begin(environ, *words)
    output, errors = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode(), errors.decode())
