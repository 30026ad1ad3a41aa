"""Child processes that end with their parent, however it ends."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

__all__ = ["Children", "start_child", "stop_all"]

Children: TypeAlias = "dict[str, asyncio.subprocess.Process]"
STOP_WITHIN = 40.0  # seconds: running jobs have 30 to end


async def start_child(
    environ: Mapping[str, str], *command: str, log: Path | None = None
) -> asyncio.subprocess.Process:
    """This Python with `command`, in a session of its own: Ctrl-C is the parent's, who stops it.

    What it prints goes to `log`, or where the parent's goes. To be called in the main thread: the child
    is told to end when the thread that started it does.
    """
    output = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with(os.getpid()),
            start_new_session=True,
        )
    finally:
        if output is not None:
            os.close(output)


async def stop_all(children: Children) -> None:
    """SIGTERM to all, then wait for each; SIGKILL for one that takes longer than its jobs may."""
    for child in children.values():
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    for child in children.values():
        try:
            await asyncio.wait_for(child.wait(), STOP_WITHIN)
        except TimeoutError:
            child.kill()
            await child.wait()


def _die_with(parent: int) -> Callable[[], None]:
    """For the child, before it runs: SIGTERM when the parent is gone, also by kill -9."""
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(1, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
