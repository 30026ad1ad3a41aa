"""The local key file against the control database: a missing or an older file is refused at start.

The file counts its changes; control remembers the count and is never restored backwards.
"""

from pathlib import Path

from mandant.vault.clock import Clock
from mandant.vault.control import ControlDatabase
from mandant.vault.kms.local import LocalKeyProvider


async def open_local(control: ControlDatabase, path: Path, clock: Clock) -> LocalKeyProvider:
    """The provider over `path`; the file is made only where nothing was ever wrapped.

    Raises: KeyFileMissing, KeyFileOutdated, KeyFileExposed, KeyFileDamaged, ControlUnavailable.
    """
    async with control.transaction() as connection:
        wrapped: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM control.scope_key)")
        known: int = await connection.fetchval("SELECT coalesce(max(counter), 0) FROM control.key_file")
    provider = LocalKeyProvider.open_or_create(path, clock, wrapped_keys_exist=wrapped)
    provider.require_counter(known)
    await remember_counter(control, provider)
    return provider


async def remember_counter(control: ControlDatabase, provider: LocalKeyProvider) -> None:
    """Tell control how often the file has been changed; to be called after each change."""
    counter = provider.counter
    async with control.transaction() as connection:
        await connection.execute(
            "INSERT INTO control.key_file (counter) VALUES ($1)"
            " ON CONFLICT (single) DO UPDATE SET counter = greatest(key_file.counter, excluded.counter)",
            counter,
        )
