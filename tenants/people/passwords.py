"""Passwords: Argon2id, off the event loop, in a pool that bounds the memory in use.

An unknown address costs what a known one costs: there is always one hash to compute.
Source: C5.3; RFC 9106; OWASP Password Storage Cheat Sheet.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id
from nacl.utils import random

from mandant.tenants.errors import Invalid
from mandant.tenants.people.errors import PasswordsBusy

T = TypeVar("T")

SHORTEST = 12
LONGEST = 1024
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """Argon2id with one lane. `memory` in bytes. Raises: ValueError below OWASP's 2 passes over 19 MiB."""

    passes: int = 2
    memory: int = 64 * _MIB

    def __post_init__(self) -> None:
        if self.passes < 2 or self.memory < 19 * _MIB:
            raise ValueError("a password is hashed with at least 2 passes over 19 MiB")


class Passwords:
    """Hashes and compares, at most `lanes` at a time: each holds `cost.memory` bytes while it runs.

    At most `queue` are under way or wait; more are refused at once, so that nobody waits for minutes.
    """

    def __init__(self, cost: PasswordCost | None = None, *, lanes: int = 2, queue: int = 64) -> None:
        self.cost = cost or PasswordCost()
        self._queue = queue
        self._asked = 0
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="argon2id")
        self._nobody = self._hash(random(16).hex()).encode()

    async def hash(self, password: str) -> str:
        """An encoded hash with its parameters and salt, `$argon2id$...`.

        Raises: Invalid for a bad length; PasswordsBusy.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise Invalid([("password", f"{SHORTEST} to {LONGEST} characters")])
        return await self._run(lambda: self._hash(password))

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Whether `password` is the hashed one. Without a hash (None): False, after as much work.

        Raises: PasswordsBusy.
        """

        def compare() -> bool:
            against = self._nobody if encoded is None else encoded.encode()
            try:
                return argon2id.verify(against, _bytes(password)) and encoded is not None
            except InvalidkeyError:
                return False

        return await self._run(compare)

    def outdated(self, encoded: str) -> bool:
        """Whether a hash was made with another cost than today's."""
        return f"$m={self.cost.memory // 1024},t={self.cost.passes},p=1$" not in encoded

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _hash(self, password: str) -> str:
        return argon2id.str(_bytes(password), self.cost.passes, self.cost.memory).decode()

    async def _run(self, work: Callable[[], T]) -> T:
        if self._asked >= self._queue:
            raise PasswordsBusy
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._asked -= 1


def _bytes(password: str) -> bytes:
    """One password typed on two keyboards is one password. Source: NIST SP 800-63B, 5.1.1.2."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
