"""Servers that outlived their supervisor: found by the folder they work in, and stopped."""

import os
import signal
import time
from pathlib import Path

from mandant.service.postgres.errors import StartFailed

__all__ = ["clear_stale_pid", "processes_in", "stop_orphans"]

PATIENCE = 30.0  # seconds for each of the three ways to stop
LOOK = 0.05


def processes_in(data: Path) -> list[int]:
    """PostgreSQL's processes that work in `data`, its helpers included. A shell that stands there is none."""
    target = data.resolve()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "comm").read_text().strip() != "postgres":
                continue
            here = (entry / "cwd").readlink()
        except OSError:
            continue  # ended meanwhile, or another user's
        if here == target:
            found.append(int(entry.name))
    return found


def stop_orphans(data: Path) -> None:
    """Stops what still works in `data`. Call it with the folder's lock held: no supervisor is alive then.

    Raises:
        StartFailed: something cannot be stopped.
    """
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not processes_in(data):
            return
        _signal(_postmaster(data) or processes_in(data), how)
        deadline = time.monotonic() + PATIENCE
        while processes_in(data) and time.monotonic() < deadline:
            time.sleep(LOOK)
    left = processes_in(data)
    if left:
        raise StartFailed(
            f"an earlier PostgreSQL still runs in {data} and cannot be stopped: processes {left}"
        )


def clear_stale_pid(data: Path) -> None:
    """Removes `postmaster.pid` where its number now belongs to a process of somebody else's.

    PostgreSQL takes any living process of that number for another server. Call it after `stop_orphans`.
    """
    pid = _recorded_pid(data)
    if pid is not None and Path(f"/proc/{pid}").exists() and pid not in processes_in(data):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _recorded_pid(data: Path) -> int | None:
    try:
        return abs(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return None


def _postmaster(data: Path) -> list[int]:
    """The parent of the others, where it lives: it ends them in order."""
    pid = _recorded_pid(data)
    return [pid] if pid is not None and pid in processes_in(data) else []


def _signal(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            continue
