"""The local key file: made once, refused when it is not what it was, and really forgetting."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mandant.vault.clock import MovingClock
from mandant.vault.errors import KeyFileMissing
from mandant.vault.guard import NetworkInTransaction, transaction_open
from mandant.vault.kms import KmsKeyState, key_file
from mandant.vault.kms.errors import (
    KeyFileDamaged,
    KeyFileExposed,
    KeyFileOutdated,
    KmsDisabled,
    KmsGone,
    KmsPendingDeletion,
    KmsWrongContext,
)
from mandant.vault.kms.local import LocalKeyProvider

CONTEXT = {"mandant:scope": "s", "mandant:kind": "tenant", "mandant:generation": "1"}
KEY = bytes(range(32))
TAGS = {"mandant:epoch": "1"}


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "local.keys"


def open_file(path: Path, clock: MovingClock, *, wrapped_keys_exist: bool = False) -> LocalKeyProvider:
    return LocalKeyProvider.open_or_create(path, clock, wrapped_keys_exist=wrapped_keys_exist)


async def test_the_file_is_made_once_and_only_its_owner_may_read_it(path: Path, clock: MovingClock) -> None:
    old_mask = os.umask(0)
    try:
        first = open_file(path, clock)
        key_ref = await first.create_key(TAGS, "epoch 1")
    finally:
        os.umask(old_mask)
    wrapped = (await first.encrypt(key_ref, KEY, CONTEXT)).value
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    second = open_file(path, clock, wrapped_keys_exist=True)
    assert (await second.decrypt(key_ref, wrapped, CONTEXT)).value == KEY


async def test_it_binds_key_and_context(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    key_ref, other = (
        await provider.create_key(TAGS, ""),
        await provider.create_key({"mandant:epoch": "2"}, ""),
    )
    wrapped = (await provider.encrypt(key_ref, KEY, CONTEXT)).value
    assert KEY not in wrapped
    assert len(wrapped) == 32 + 73
    flipped = wrapped[:-1] + bytes((wrapped[-1] ^ 1,))
    for ref, sealed, context in (
        (other, wrapped, CONTEXT),
        (key_ref, wrapped, {**CONTEXT, "mandant:scope": "t"}),
        (key_ref, flipped, CONTEXT),
        (key_ref, b"", CONTEXT),
    ):
        with pytest.raises(KmsWrongContext):
            await provider.decrypt(ref, sealed, context)


def test_a_missing_file_is_refused_when_wrapped_keys_exist(path: Path, clock: MovingClock) -> None:
    with pytest.raises(KeyFileMissing, match="Restore the file from its backup"):
        open_file(path, clock, wrapped_keys_exist=True)
    assert not path.exists()
    with pytest.raises(KeyFileMissing):
        LocalKeyProvider(path, clock)
    assert not path.exists()


async def test_a_file_that_vanishes_while_running_is_noticed(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    key_ref = await provider.create_key(TAGS, "")
    path.unlink()
    with pytest.raises(KeyFileMissing):
        await provider.encrypt(key_ref, KEY, CONTEXT)
    with pytest.raises(KeyFileMissing):
        await provider.create_key({"mandant:epoch": "2"}, "")
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_may_use_is_refused_with_the_command_to_run(
    path: Path, clock: MovingClock, mode: int
) -> None:
    open_file(path, clock)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed, match=re.escape(f"chmod 600 {path}")):
        open_file(path, clock)


async def test_a_damaged_file_is_refused_and_not_quoted(path: Path, clock: MovingClock) -> None:
    await open_file(path, clock).create_key(TAGS, "")
    text = path.read_text()
    key = json.loads(text)["keys"][0]["key"]
    swapped = key[1] + key[0] + key[2:] if key[0] != key[1] else "A" + key[1:]
    for damaged in (
        "",
        text[:-9],
        text.replace(key, swapped),
        text.replace('"counter": 2', '"counter": 9'),
        "[]",
    ):
        assert damaged != text
        path.write_text(damaged)
        with pytest.raises(KeyFileDamaged, match="Restore it from its backup") as caught:
            open_file(path, clock, wrapped_keys_exist=True)
        assert caught.value.__cause__ is None
        assert key not in repr(caught.value)
    assert path.read_text() == "[]"


async def test_an_old_copy_is_refused_by_the_counter(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    await provider.create_key(TAGS, "")
    old, remembered = path.read_bytes(), provider.counter
    key_ref = await provider.create_key({"mandant:epoch": "2"}, "")
    assert provider.counter == remembered + 1
    path.write_bytes(old)
    # The process that saw the newer one, and a new process that control tells the number.
    with pytest.raises(KeyFileOutdated, match="old copy"):
        await provider.encrypt(key_ref, KEY, CONTEXT)
    with pytest.raises(KeyFileOutdated):
        await provider.create_key({"mandant:epoch": "3"}, "")
    fresh = open_file(path, clock, wrapped_keys_exist=True)
    with pytest.raises(KeyFileOutdated, match=f"counter is {remembered}, and it was {remembered + 1}"):
        fresh.require_counter(remembered + 1)
    open_file(path, clock).require_counter(remembered)


async def test_what_changes_nothing_counts_nothing(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    assert provider.counter == 1
    key_ref = await provider.create_key(TAGS, "")
    await provider.disable_key(key_ref)
    before = provider.counter
    await provider.disable_key(key_ref)
    assert await provider.create_key(TAGS, "") == key_ref
    assert provider.counter == before


async def test_states_are_those_of_a_kms(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    key_ref = await provider.create_key(TAGS, "")
    wrapped = (await provider.encrypt(key_ref, KEY, CONTEXT)).value
    await provider.disable_key(key_ref)
    assert await provider.describe_key(key_ref) is KmsKeyState.DISABLED
    with pytest.raises(KmsDisabled):
        await provider.decrypt(key_ref, wrapped, CONTEXT)
    await provider.schedule_deletion(key_ref, 7)
    assert await provider.describe_key(key_ref) is KmsKeyState.PENDING_DELETION
    with pytest.raises(KmsPendingDeletion):
        await provider.decrypt(key_ref, wrapped, CONTEXT)
    with pytest.raises(KmsPendingDeletion):
        await provider.disable_key(key_ref)
    assert await provider.find_key(TAGS) == key_ref
    assert await provider.describe_key("local:never") is KmsKeyState.GONE
    with pytest.raises(KmsGone):
        await provider.encrypt("local:never", KEY, CONTEXT)
    for days in (6, 31):
        with pytest.raises(ValueError, match="7 to 30"):
            await provider.schedule_deletion(key_ref, days)


async def test_on_the_delayed_day_the_bytes_leave_the_file(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    key_ref, kept = await provider.create_key(TAGS, ""), await provider.create_key({"mandant:epoch": "2"}, "")
    key = json.loads(path.read_text())["keys"][0]["key"]
    await provider.schedule_deletion(key_ref, 7)
    clock.advance(timedelta(days=3))
    await provider.schedule_deletion(key_ref, 30)  # a second call does not move the day
    with path.open("rb") as last_with_key:
        clock.advance(timedelta(days=4, seconds=-1))
        assert await provider.describe_key(key_ref) is KmsKeyState.PENDING_DELETION
        clock.advance(timedelta(seconds=1))
        # Any use of the file, of whatever key, forgets what is due.
        await provider.encrypt(kept, KEY, CONTEXT)
        assert set(last_with_key.read()) == {0}, "the blocks of the old file were not overwritten"
    assert key not in path.read_text()
    assert b64decode(key) not in path.read_bytes()
    assert await provider.describe_key(key_ref) is KmsKeyState.GONE
    assert await provider.find_key(TAGS) is None
    with pytest.raises(KmsGone):
        await provider.schedule_deletion(key_ref, 7)
    assert await provider.create_key(TAGS, "") != key_ref


async def test_opening_the_file_forgets_what_came_due_meanwhile(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    await provider.schedule_deletion(await provider.create_key(TAGS, ""), 7)
    key = json.loads(path.read_text())["keys"][0]["key"]
    clock.advance(timedelta(days=8))
    open_file(path, clock)
    assert key not in path.read_text()


async def test_a_backup_that_is_a_hard_link_is_left_alone(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    await provider.create_key(TAGS, "")
    backup = path.with_name("backup")
    backup.hardlink_to(path)
    before = backup.read_bytes()
    await provider.create_key({"mandant:epoch": "2"}, "")
    assert backup.read_bytes() == before


async def test_what_another_process_changes_counts_at_once(path: Path, clock: MovingClock) -> None:
    web, command = open_file(path, clock), open_file(path, clock)
    key_ref = await command.create_key(TAGS, "")
    wrapped = (await web.encrypt(key_ref, KEY, CONTEXT)).value
    await command.disable_key(key_ref)
    with pytest.raises(KmsDisabled):
        await web.decrypt(key_ref, wrapped, CONTEXT)


PROCESS = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from mandant.vault.clock import MovingClock
from mandant.vault.kms.local import LocalKeyProvider

async def main(path, own):
    clock = MovingClock(datetime(2026, 11, 22, tzinfo=UTC))
    provider = LocalKeyProvider.open_or_create(path, clock, wrapped_keys_exist=False)
    print(await provider.create_key({"shared": "1"}, ""))
    for number in range(10):
        await provider.create_key({"own": own, "number": str(number)}, "")

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


async def test_processes_that_start_at_once_make_one_file_and_lose_no_key(
    path: Path, clock: MovingClock
) -> None:
    path.parent.mkdir()
    async with asyncio.TaskGroup() as group:
        with key_file.locked(path):  # all wait at the same door, then go
            processes = [
                await asyncio.create_subprocess_exec(
                    sys.executable, "-c", PROCESS, str(path), str(own), stdout=asyncio.subprocess.PIPE
                )
                for own in range(3)
            ]
        answers = [group.create_task(process.communicate()) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len({out for task in answers for out in task.result()[:1]}) == 1
    provider = open_file(path, clock)
    assert provider.counter == 1 + 1 + 30
    assert len(json.loads(path.read_text())["keys"]) == 31


async def test_a_half_written_new_file_of_a_crash_does_no_harm(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    path.with_name("local.keys.new").write_text("half")
    key_ref = await provider.create_key(TAGS, "")
    assert await open_file(path, clock).describe_key(key_ref) is KmsKeyState.ENABLED


async def test_the_same_rule_as_for_a_kms_over_the_network(path: Path, clock: MovingClock) -> None:
    provider = open_file(path, clock)
    token = transaction_open.set(True)
    try:
        with pytest.raises(NetworkInTransaction):
            await provider.create_key(TAGS, "")
        with pytest.raises(NetworkInTransaction):
            await provider.find_key(TAGS)
    finally:
        transaction_open.reset(token)
