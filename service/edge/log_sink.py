"""Log lines leave the event loop at once and are written by a thread, in batches.

A reader of stderr that stops reading must not stop the service: what does not fit is counted and dropped.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque

FLUSH_SECONDS = 0.1  # kill -9 loses at most this much
MOST_WAITING = 50_000  # lines


class LogSink:
    """Takes finished lines (bytes, without newline) from any thread; a daemon thread writes them to `fd`."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._waiting: deque[bytes] = deque()
        self._wake = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.dropped = 0

    def put(self, line: bytes) -> None:
        """Hand over one line; never blocks on the file."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(line)
        if self._thread is None:
            self._start()

    def flush(self) -> None:
        """Write everything that waits, in the caller's thread."""
        with self._writing:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if self.dropped:
                lines.append(b'{"event":"log lines dropped","count":%d}' % self.dropped)
                self.dropped = 0
            if lines:
                self._write(b"\n".join(lines) + b"\n")

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mandant-log", daemon=True)
                self._thread.start()
                atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            self._wake.wait(FLUSH_SECONDS)
            self.flush()

    def _write(self, block: bytes) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            # Nobody reads our log any more (a closed pipe). There is nowhere left to say so.
            self.dropped += 1
