"""Runs PostgreSQL and ends it when the process that wants it ends, however that ends.

Started as a script of its own, with the standard library alone:

    watchdog.py PARENT_PID UID GID PROGRAM ARGUMENT...      (UID -1: stay who you are)

Its standard input is a pipe that the parent holds. The pipe closed, or the parent gone (a forked
child may still hold the pipe): fast shutdown, after a while an immediate one. The watchdog itself
killed: the kernel tells the server to shut down.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
FAST = signal.SIGINT
IMMEDIATE = signal.SIGQUIT
PATIENCE = 30  # seconds that a fast shutdown may take
LOOK = 0.25  # seconds between two looks at parent and server


def main() -> int:
    """Returns PostgreSQL's own exit code."""
    parent, uid, gid = (int(word) for word in sys.argv[1:4])
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    us = os.getpid()

    def before_exec() -> None:
        for heeded in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(heeded, signal.SIG_DFL)
        if sys.platform == "linux":
            # After the change of user: that change would clear it.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(FAST))
        if os.getppid() != us:
            os._exit(1)

    drop: dict[str, Any] = {} if uid < 0 else {"user": uid, "group": gid, "extra_groups": []}
    with subprocess.Popen(
        sys.argv[4:],
        stdin=subprocess.DEVNULL,
        preexec_fn=before_exec,  # safe: this process has one thread
        cwd="/",
        **drop,
    ) as server:
        wanted = True
        while wanted and server.poll() is None:
            ready, _, _ = select.select([0], [], [], LOOK)
            wanted = os.getppid() == parent and not (ready and not os.read(0, 1))
        return _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> int:
    for how in (FAST, IMMEDIATE, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return server.wait(PATIENCE)
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
