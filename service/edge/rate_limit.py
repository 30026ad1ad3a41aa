"""How often something may be tried: token buckets in PostgreSQL, the same for every process.

    await limiter.take(SIGN_IN.per("email", address), SIGN_IN.per("address", shortened(ip)))

What is limited (an e-mail address, a shortened IP address) is stored as a keyed term. Source: C16.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from mandant.service.errors import RateLimited
from mandant.tenants.database import DataDatabase
from mandant.tenants.people.system import SYSTEM_SCOPE
from mandant.vault.category import Category
from mandant.vault.clock import Clock
from mandant.vault.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Try:
    """One try at `action` by `subject` (an address, normalised; '' when unknown)."""

    action: str
    kind: str
    subject: str
    tries: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` at once; they come back evenly over `seconds`."""

    action: str
    tries: int
    seconds: int

    def per(self, kind: str, subject: str | None) -> Try:
        """A try counted for one subject of a kind (`email`, `address`)."""
        return Try(self.action, kind, subject or "", self.tries, self.seconds)


class RateLimiter(Protocol):
    """Counts tries. Called before the work, outside any transaction of a tenant."""

    async def take(self, *tries: Try) -> None:
        """Count each try. Raises: RateLimited with the seconds to wait when one of them is too many."""
        ...


class PostgresRateLimiter:
    """Buckets in `directory.rate_limit`; each take commits at once, also when the work fails after it."""

    def __init__(self, data: DataDatabase, keyring: Keyring, clock: Clock) -> None:
        self._data, self._keyring, self._clock = data, keyring, clock

    async def take(self, *tries: Try) -> None:
        """As RateLimiter.take. Raises: RateLimited; as Keyring.open."""
        index = (await self._keyring.open(SYSTEM_SCOPE)).index_key(Category.DIRECTORY)
        longest = 0.0
        for one in tries:
            bucket = index.unique("rate_limit", one.action, f"{one.kind}:{one.subject}")
            wait: float = await self._data.pool.fetchval(
                "SELECT directory.take_token($1, $2, $3, $4)",
                bucket,
                float(one.tries),
                one.tries / one.seconds,
                self._clock.now(),
            )
            longest = max(longest, wait)
        if longest > 0:
            raise RateLimited(math.ceil(longest))
