"""Keys in a file, for one machine: `make demo`, development, small installations.

Example::

    provider = LocalKeyProvider.open_or_create(path, clock, wrapped_keys_exist=False)
    provider.require_counter(at_least=counter_in_control)

It behaves like a KMS (states, delayed deletion, encryption context), with one difference that no code can
mend: whoever copies the file has the keys. Several processes of one machine use one file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_bytes, token_hex
from threading import Lock
from typing import TypeVar
from uuid import uuid4

from mandant.vault.clock import Clock
from mandant.vault.errors import Unopenable
from mandant.vault.guard import forbid_network
from mandant.vault.kms import key_file
from mandant.vault.kms.errors import (
    KeyFileOutdated,
    KmsDisabled,
    KmsGone,
    KmsPendingDeletion,
    KmsWrongContext,
)
from mandant.vault.kms.key_file import KeyFile, LocalKey
from mandant.vault.kms.provider import Answer, KmsKeyState
from mandant.vault.secret import Secret
from mandant.vault.wrapping import LOCAL_WRAP, encode_encryption_context, unwrap_bytes, wrap_bytes

__all__ = ["LocalKeyProvider"]

T = TypeVar("T")


class LocalKeyProvider:
    """A KeyProvider over one key file. Wrapped bytes are specified in vault/FORMAT.md.

    Every use looks at the file first: what another process changed counts at once, and keys whose day has
    come are removed from the file.
    """

    name = "local"

    def __init__(self, path: Path, clock: Clock) -> None:
        """Raises: KeyFileMissing, KeyFileExposed, KeyFileDamaged."""
        self._path = path
        self._clock = clock
        self._lock = Lock()
        self._at_least = 0
        self._content, self._stamp = key_file.read(path)
        self.forget_due()

    @classmethod
    def open_or_create(cls, path: Path, clock: Clock, *, wrapped_keys_exist: bool) -> LocalKeyProvider:
        """Open the file; make it, with mode 0600, when there is none and nothing was ever wrapped.

        Raises: KeyFileMissing when there is none although wrapped keys exist, and as the constructor.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with key_file.locked(path):
            if not path.exists():
                if wrapped_keys_exist:
                    raise key_file.missing(path)
                key_file.write(path, KeyFile(counter=1, keys={}))
        return cls(path, clock)

    @property
    def counter(self) -> int:
        """How often the file has been changed. Keep it where no restore reaches, for `require_counter`."""
        return self._read().counter

    def require_counter(self, at_least: int) -> None:
        """Refuse an older copy of the file, now and whenever it is read again.

        Raises: KeyFileOutdated when the file's counter is below `at_least`.
        """
        with self._lock:
            self._at_least = max(self._at_least, at_least)
            self._refuse_outdated(self._content)
        self._read()

    async def encrypt(self, key_ref: str, plaintext: bytes, context: Mapping[str, str]) -> Answer:
        """`plaintext` wrapped, 73 bytes more. Raises: KmsDisabled, KmsPendingDeletion, KmsGone."""
        key = await self._usable(key_ref)
        bound = encode_encryption_context(key_ref, context)
        return Answer(wrap_bytes(key, LOCAL_WRAP, bound, plaintext), token_hex(16))

    async def decrypt(self, key_ref: str, wrapped: bytes, context: Mapping[str, str]) -> Answer:
        """The plaintext. Raises: KmsWrongContext, KmsDisabled, KmsPendingDeletion, KmsGone."""
        key = await self._usable(key_ref)
        bound = encode_encryption_context(key_ref, context)
        try:
            return Answer(unwrap_bytes(key, LOCAL_WRAP, bound, wrapped), token_hex(16))
        except Unopenable:
            raise KmsWrongContext("wrapped under another key or encryption context, or damaged") from None

    async def create_key(self, tags: Mapping[str, str], description: str) -> str:
        """A new key_ref, on the disk when this returns; the existing one of these tags if there is one."""

        def create(keys: dict[str, LocalKey]) -> str:
            existing = _find(keys, tags)
            if existing is not None:
                return existing
            key_ref = f"local:{uuid4()}"
            keys[key_ref] = LocalKey(
                key_ref=key_ref,
                key=Secret(token_bytes(32)),
                tags=dict(tags),
                description=description,
                state=KmsKeyState.ENABLED,
                created=self._clock.now(),
            )
            return key_ref

        return await self._change_off_loop(create)

    async def find_key(self, tags: Mapping[str, str]) -> str | None:
        """The key_ref of the oldest key that has all of `tags` and is not gone."""
        return _find((await self._fresh()).keys, tags)

    async def describe_key(self, key_ref: str) -> KmsKeyState:
        """The key's state; `gone` for a key_ref that was never there."""
        key = (await self._fresh()).keys.get(key_ref)
        return KmsKeyState.GONE if key is None else key.state

    async def disable_key(self, key_ref: str) -> None:
        """Raises: KmsPendingDeletion, KmsGone."""

        def disable(keys: dict[str, LocalKey]) -> None:
            key = _not_gone(keys, key_ref)
            if key.state is KmsKeyState.PENDING_DELETION:
                raise KmsPendingDeletion("the key is pending deletion")
            keys[key_ref] = replace(key, state=KmsKeyState.DISABLED)

        await self._change_off_loop(disable)

    async def schedule_deletion(self, key_ref: str, days: int) -> None:
        """Forget the key in `days`, by the injected clock. Raises: KmsGone; ValueError outside 7 to 30."""
        if not 7 <= days <= 30:
            raise ValueError("a KMS deletes a key after 7 to 30 days")
        delete_after = self._clock.now() + timedelta(days=days)

        def schedule(keys: dict[str, LocalKey]) -> None:
            key = _not_gone(keys, key_ref)
            if key.state is not KmsKeyState.PENDING_DELETION:
                keys[key_ref] = replace(key, state=KmsKeyState.PENDING_DELETION, delete_after=delete_after)

        await self._change_off_loop(schedule)

    async def close(self) -> None:
        """Nothing is held open."""

    def forget_due(self) -> None:
        """Remove from the file every key whose day has come; before every use, and whenever somebody asks.

        Waits for the file's lock when there is something to remove. What the file's old blocks hold on a
        copy-on-write or flash disk, and what copies of the file hold, no process can remove.
        """
        if self._has_due(self._read()):
            self._change(lambda _keys: None)

    async def _usable(self, key_ref: str) -> bytes:
        key = _not_gone((await self._fresh()).keys, key_ref)
        if key.state is KmsKeyState.DISABLED:
            raise KmsDisabled("the key is disabled")
        if key.state is KmsKeyState.PENDING_DELETION or key.key is None:
            raise KmsPendingDeletion("the key is pending deletion")
        return key.key.reveal()

    async def _fresh(self) -> KeyFile:
        # A file needs no network, but the same code runs with a KMS in production.
        forbid_network("kms")
        content = self._read()
        if self._has_due(content):
            await asyncio.to_thread(self.forget_due)
            content = self._read()
        return content

    def _read(self) -> KeyFile:
        """The file as it is now; costs one stat when nobody changed it."""
        with self._lock:
            if key_file.stamp_of(self._path) != self._stamp:
                content, stamp = key_file.read(self._path)
                self._refuse_outdated(content)
                self._content, self._stamp = content, stamp
            return self._content

    async def _change_off_loop(self, change: Callable[[dict[str, LocalKey]], T]) -> T:
        forbid_network("kms")
        return await asyncio.to_thread(self._change, change)

    def _change(self, change: Callable[[dict[str, LocalKey]], T]) -> T:
        """Apply `change` to what the file holds now, and forget what is due, in one replacement."""
        with key_file.locked(self._path), self._lock:
            content, stamp = key_file.read(self._path)
            self._refuse_outdated(content)
            now = self._clock.now()
            keys = {ref: key.forgotten() if _is_due(key, now) else key for ref, key in content.keys.items()}
            result = change(keys)
            if keys != content.keys:
                content = KeyFile(content.counter + 1, keys)
                stamp = key_file.write(self._path, content)
            self._content, self._stamp = content, stamp
        return result

    def _has_due(self, content: KeyFile) -> bool:
        now = self._clock.now()
        return any(_is_due(key, now) for key in content.keys.values())

    def _refuse_outdated(self, content: KeyFile) -> None:
        at_least = max(self._at_least, self._content.counter)
        if content.counter < at_least:
            raise KeyFileOutdated(
                f"the key file {self._path} is an old copy: its counter is {content.counter}, and it was "
                f"{at_least} already. It would bring back forgotten keys. Restore the newest copy"
            )


def _is_due(key: LocalKey, now: datetime) -> bool:
    return key.key is not None and key.delete_after is not None and key.delete_after <= now


def _find(keys: Mapping[str, LocalKey], tags: Mapping[str, str]) -> str | None:
    for key in keys.values():
        if key.state is not KmsKeyState.GONE and tags.items() <= key.tags.items():
            return key.key_ref
    return None


def _not_gone(keys: Mapping[str, LocalKey], key_ref: str) -> LocalKey:
    key = keys.get(key_ref)
    if key is None or key.state is KmsKeyState.GONE:
        raise KmsGone("there is no such key")
    return key
