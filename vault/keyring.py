"""Unwrapped keys in memory: one KMS call for many openings, and never for longer than promised.

Example::

    keyring = Keyring(load, provider, clock=SystemClock())
    keys = await keyring.open(scope_id)      # before the transaction; ask again for each piece of work
    sealer = keys.seal_key(Category.MODULE).sealer(Place("customers", "record"))

Times, in seconds of the injected monotonic function, counted from the start of the last unwrapping that
succeeded (load and KMS, both):

    0 .. ttl      served from memory, no call
    ttl ..        loaded and unwrapped again, once for all who wait:
      success     the new keys replace the old ones
      denied      (disabled, pending deletion, gone, any refusal) KeyDenied, and the old keys end at once,
                  also in the hands of those who still hold them
      no answer   (time-out, throttled, KMS or control unavailable) the old keys serve on, up to `grace`;
                  the next attempt comes BRIDGE seconds later, so that not every opening waits for a time-out
    grace ..      KeyUnavailable; whoever held on to an OpenScope gets the same

While control does not answer, the wrapped bytes that are remembered are still shown to the KMS, so that a
tenant's revocation counts then, too. A refusal is remembered for a second.

Forgetting is dropping the reference. Nothing is overwritten: an opening in flight may hold the same key, and
would seal with zeros; and Python cannot guarantee wiped memory anyway.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic as system_monotonic
from uuid import UUID

from mandant.vault.clock import Clock
from mandant.vault.errors import ControlUnavailable, KeyDenied, KeyUnavailable, VaultError
from mandant.vault.guard import forbid_network
from mandant.vault.kms.errors import KmsError
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.kms_calls import KeyringTotals, KmsCalls
from mandant.vault.open_scope import Lease, OpenScope
from mandant.vault.scope_key import unwrap_scope_key
from mandant.vault.stored import StoredScope

__all__ = ["ControlOlderThanData", "Keyring"]

PAUSE = 1.0  # seconds for which a refusal is remembered
BRIDGE = 10.0  # seconds from one attempt on a KMS that does not answer to the next, while old keys serve


class ControlOlderThanData(VaultError):
    """Data knows a fact that control does not: control was restored backwards, which it never may be."""


@dataclass(slots=True)
class _Entry:
    """What is remembered of one scope. `fresh_until`: when the next attempt is due."""

    stored: StoredScope
    keys: OpenScope
    lease: Lease
    fresh_until: float


@dataclass(frozen=True, slots=True)
class _Bridged:
    """Old keys that serve on, and why no newer ones came."""

    keys: OpenScope
    without: type[ControlUnavailable] | type[KeyUnavailable]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a scope did not open. Each waiter raises an error of its own."""

    denied: str | None
    until: float

    def error(self) -> VaultError:
        return KeyUnavailable(1) if self.denied is None else KeyDenied(self.denied)


_Outcome = OpenScope | _Bridged | _Refusal


class Keyring:
    """The unwrapped keys of one process. Use it from one event loop."""

    def __init__(
        self,
        load: Callable[[UUID], Awaitable[StoredScope]],
        provider: KeyProvider,
        *,
        clock: Clock,
        monotonic: Callable[[], float] = system_monotonic,
        ttl: float = 45.0,
        grace: float = 300.0,
        max_scopes: int = 10_000,
    ) -> None:
        """`load` reads a scope from control; it raises ControlUnavailable, KeyShredded or its own not-found.

        `clock` is for counting by the hour only. Raises: ValueError for a ttl over 60 s (what a tenant's
        revocation may take) or a grace below the ttl.
        """
        if not 0 < ttl <= 60:
            raise ValueError("keys live at most 60 seconds: MANDANT_KEY_TTL")
        if grace < ttl:
            raise ValueError(
                "the grace is counted from the last success, like the time to live: not below it"
            )
        self._load = load
        self._provider = provider
        self._monotonic = monotonic
        self._ttl = ttl
        self._grace = grace
        self._max_scopes = max_scopes
        self._entries: OrderedDict[UUID, _Entry] = OrderedDict()
        self._refusals: OrderedDict[UUID, _Refusal] = OrderedDict()
        self._flights: dict[UUID, asyncio.Task[_Outcome]] = {}
        self._calls = KmsCalls(clock, max_scopes)
        self.totals = KeyringTotals()

    async def open(self, scope_id: UUID) -> OpenScope:
        """The scope's keys, from memory or by one load and one KMS call (two with BYOK).

        Raises: KeyDenied, KeyUnavailable, KeyShredded, ControlUnavailable, Unopenable, what `load` raises;
        NetworkInTransaction when they are not in memory and the caller has a transaction open.
        """
        entry = self._entries.get(scope_id)
        if entry is not None and self._monotonic() < entry.fresh_until:
            self._entries.move_to_end(scope_id)
            self.totals.hits += 1
            return entry.keys
        refusal = self._refusals.get(scope_id)
        if refusal is not None and self._monotonic() < refusal.until:
            raise refusal.error()
        found = await self._fetch(scope_id)
        return found.keys if isinstance(found, _Bridged) else found

    async def reload(self, scope_id: UUID, at_least_key_state: int) -> OpenScope:
        """The keys as of a fact that data already knows. Together with other callers: one load, not a storm.

        Raises: as open; ControlOlderThanData when control does not know that fact. Nothing is bridged: with
        old keys a session would only be refused again.
        """
        known = 0
        for _ in range(2):
            # A flight that was under way may have read control before the fact; the second one has not.
            entry = self._entries.get(scope_id)
            if entry is not None and entry.stored.key_state >= at_least_key_state:
                return await self.open(scope_id)
            found = await self._fetch(scope_id)
            if isinstance(found, _Bridged):
                if found.without is ControlUnavailable:
                    raise ControlUnavailable("the control database does not answer")
                raise KeyUnavailable(1)
            if found.key_state >= at_least_key_state:
                return found
            known = found.key_state
        raise ControlOlderThanData(
            f"data has fact {at_least_key_state} of scope {scope_id}, control has {known}"
        )

    def evict(self, scope_id: UUID) -> None:
        """Forget the scope, so that the next open loads it. What was handed out may finish.

        A flight under way still answers those who wait for it, but is neither remembered nor joined.
        """
        self._entries.pop(scope_id, None)
        self._refusals.pop(scope_id, None)
        self._flights.pop(scope_id, None)

    def sweep(self) -> None:
        """Forget the keys that may not be used any more. Called at every miss; a timer may call it, too."""
        now = self._monotonic()
        for scope_id in [key for key, entry in self._entries.items() if now >= entry.lease.good_until]:
            del self._entries[scope_id]

    def kms_calls(self, owner: UUID) -> int:
        """KMS calls for `owner` in the current hour (UTC), by this process."""
        return self._calls.of(owner)

    async def close(self) -> None:
        """Forget everything; flights end without a result."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        self._entries.clear()
        self._refusals.clear()

    async def _fetch(self, scope_id: UUID) -> OpenScope | _Bridged:
        # Here, not in the flight: that runs in a copy of the context of whoever came first.
        forbid_network("kms")
        self.totals.misses += 1
        flight = self._flights.get(scope_id)
        if flight is None:
            flight = asyncio.create_task(self._fly(scope_id))
            self._flights[scope_id] = flight
            flight.add_done_callback(lambda done: self._landed(scope_id, done))
        # Shielded: a waiter that gives up does not take the others with it.
        outcome = await asyncio.shield(flight)
        if isinstance(outcome, _Refusal):
            raise outcome.error()
        return outcome

    def _landed(self, scope_id: UUID, flight: asyncio.Task[_Outcome]) -> None:
        if self._flights.get(scope_id) is flight:
            del self._flights[scope_id]
        if not flight.cancelled():
            flight.exception()  # seen, also when every waiter has gone

    async def _fly(self, scope_id: UUID) -> _Outcome:
        started = self._monotonic()
        entry = self._entries.get(scope_id)
        try:
            stored = await self._load(scope_id)
        except ControlUnavailable:
            if entry is None or started >= entry.lease.good_until:
                raise
            return await self._without_control(entry)
        try:
            scope_key = await self._ask(stored)
        except KmsError as error:
            return self._failed(stored.scope_id, entry, error)
        lease = Lease(self._monotonic) if entry is None else entry.lease
        keys = OpenScope(stored, scope_key, lease)
        lease.good_until = started + self._grace
        self._remember(_Entry(stored, keys, lease, started + self._ttl))
        return keys

    async def _without_control(self, entry: _Entry) -> _Outcome:
        """Control does not answer: ask the KMS at least whether it still lets us."""
        try:
            await self._ask(entry.stored)
        except KmsError as error:
            return self._failed(entry.stored.scope_id, entry, error)
        return self._bridge(entry, ControlUnavailable)

    async def _ask(self, stored: StoredScope) -> bytes:
        return await unwrap_scope_key(self._provider, stored, lambda: self._count(stored.owner))

    def _failed(self, scope_id: UUID, entry: _Entry | None, error: KmsError) -> _Outcome:
        self.totals.kms_errors += 1
        now = self._monotonic()
        if error.bridgeable and entry is not None and now < entry.lease.good_until:
            return self._bridge(entry, KeyUnavailable)
        if not error.bridgeable and entry is not None:
            entry.lease.deny(error.reason)
        self._entries.pop(scope_id, None)
        refusal = _Refusal(None if error.bridgeable else error.reason, now + PAUSE)
        self._refusals[scope_id] = refusal
        if len(self._refusals) > self._max_scopes:
            self._refusals.popitem(last=False)
        return refusal

    def _bridge(self, entry: _Entry, without: type[ControlUnavailable] | type[KeyUnavailable]) -> _Bridged:
        self.totals.bridged += 1
        entry.fresh_until = min(self._monotonic() + BRIDGE, entry.lease.good_until)
        return _Bridged(entry.keys, without)

    def _remember(self, entry: _Entry) -> None:
        scope_id = entry.stored.scope_id
        if self._flights.get(scope_id) is not asyncio.current_task():
            return  # evicted meanwhile: what was read is from before
        self.sweep()
        self._refusals.pop(scope_id, None)
        self._entries[scope_id] = entry
        self._entries.move_to_end(scope_id)
        if len(self._entries) > self._max_scopes:
            self._entries.popitem(last=False)

    def _count(self, owner: UUID) -> None:
        self._calls.add(owner)
        self.totals.kms_calls += 1
