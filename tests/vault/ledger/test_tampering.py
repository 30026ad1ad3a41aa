"""What a database administrator can do to a log, and who finds it: each is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from mandant.vault.ledger import Entry, Signers, prove, verifier_keys
from mandant.vault.ledger.base64_text import to_base64
from mandant.vault.ledger.bundle_file import checkpoint_line
from mandant.vault.ledger.canonical import Json
from mandant.vault.ledger.checkpoint import parse_checkpoint
from mandant.vault.ledger.note import VerifierKey
from mandant.vault.ledger.one_file import one_file
from mandant.vault.ledger.signers import Signer
from mandant.vault.ledger.tlog_proof import parse_proof
from mandant.vault.ledger.verdict import Verdict
from tests.stack import Stack
from tests.vault.ledger.world import OwnLog, codes, verified


@pytest.fixture
async def log(stack: Stack) -> OwnLog:
    """Eleven entries of one access, then a day: twelve checkpoints in all but the first entry."""
    log = await OwnLog.open(stack)
    await log.look()
    return log


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verifier") / "verify_ledger.py"
    path.write_text(one_file(), encoding="utf-8")
    return path


async def judge(program: Path, bundle: bytes, since: Sequence[bytes] = ()) -> Verdict:
    """The verdict, after the one-file verifier has said the very same."""
    verdict = verified(bundle, since=since)
    path = program.with_name("bundle")
    path.write_bytes(bundle)
    arguments = []
    for number, raw in enumerate(since):
        old = program.with_name(f"old{number}")
        old.write_bytes(raw)
        arguments += ["--since", str(old)]
    done = subprocess.run(
        [sys.executable, "-I", str(program), str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == verdict.lines()
    assert done.returncode == (0 if verdict.good else 1)
    return verdict


async def test_an_untouched_log_is_good(log: OwnLog, program: Path) -> None:
    verdict = await judge(program, await log.bundle())
    assert verdict.findings == []
    assert (verdict.size, verdict.checkpoints) == (11, 10)


async def test_an_edited_entry_is_named(log: OwnLog, program: Path) -> None:
    await log.tamper(
        "UPDATE control.ledger_leaf SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'),"
        " '\"count\":1', '\"count\":0'), 'UTF8') WHERE owner = {owner} AND kind = 'access'"
    )
    verdict = await judge(program, await log.bundle())
    assert [(one.code, one.index) for one in verdict.findings] == [("altered", 6)]


async def test_an_opening_that_was_exchanged_is_named(log: OwnLog, program: Path) -> None:
    bundle = (await log.bundle()).replace("Änne Müller".encode(), b"Somebody else")
    verdict = await judge(program, bundle)
    assert [(one.code, one.index) for one in verdict.findings] == [("opening", 1)]
    assert "name" in verdict.findings[0].said


async def test_an_opening_that_is_withheld_is_named(log: OwnLog, program: Path) -> None:
    await log.tamper("UPDATE control.ledger_leaf SET sealed = NULL WHERE owner = {owner} AND kind = 'access'")
    verdict = await judge(program, await log.bundle())
    assert {(one.code, one.index) for one in verdict.findings} == {("opening", 6)}


async def test_a_deleted_entry_is_named(log: OwnLog, program: Path) -> None:
    await log.tamper("DELETE FROM control.ledger_leaf WHERE owner = {owner} AND kind = 'access'")
    verdict = await judge(program, await log.bundle())
    assert ("missing", 6) in [(one.code, one.index) for one in verdict.findings]
    assert "truncated" in codes(verdict)


async def test_a_deleted_entry_whose_gap_was_closed_is_named(log: OwnLog, program: Path) -> None:
    await log.tamper(
        "DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index = 6",
        "UPDATE control.ledger_leaf SET index = index - 1, sealed = NULL WHERE owner = {owner} AND index > 6",
    )
    verdict = await judge(program, await log.bundle())
    assert ("altered", 6) in [(one.code, one.index) for one in verdict.findings]


async def test_entries_in_another_order_are_named(log: OwnLog, program: Path) -> None:
    await log.tamper(
        "UPDATE control.ledger_leaf SET index = index + 100 WHERE owner = {owner} AND index IN (2, 4)",
        "UPDATE control.ledger_leaf SET index = 4 WHERE owner = {owner} AND index = 102",
        "UPDATE control.ledger_leaf SET index = 2 WHERE owner = {owner} AND index = 104",
    )
    verdict = await judge(program, await log.bundle())
    named = [(one.code, one.index) for one in verdict.findings]
    assert ("time", 3) in named
    assert ("altered", 2) in named


async def test_lines_of_the_bundle_in_another_order_are_named(log: OwnLog, program: Path) -> None:
    lines = (await log.bundle()).splitlines(keepends=True)
    lines[3], lines[5] = lines[5], lines[3]
    verdict = await judge(program, b"".join(lines))
    assert ("missing", 2) in [(one.code, one.index) for one in verdict.findings]


async def test_a_log_that_was_cut_is_named_by_its_checkpoints(log: OwnLog, program: Path) -> None:
    await log.tamper("DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index >= 6")
    verdict = await judge(program, await log.bundle())
    assert "truncated" in codes(verdict)


async def test_a_log_that_was_cut_with_its_checkpoints_is_named_by_an_older_one(
    log: OwnLog, program: Path
) -> None:
    kept = (await log.sign()).note.raw()
    await log.tamper(
        "DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index >= 5",
        "DELETE FROM control.ledger_checkpoint WHERE owner = {owner} AND size > 5",
    )
    assert (await judge(program, await log.bundle())).good  # alone it looks like a shorter log
    verdict = await judge(program, await log.bundle(), [kept])
    assert codes(verdict) == ["rolled_back"]


async def test_an_older_database_that_went_on_is_named_by_an_older_checkpoint(
    log: OwnLog, program: Path
) -> None:
    kept = (await log.sign()).note.raw()
    await log.tamper(
        "DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index >= 5",
        "DELETE FROM control.ledger_checkpoint WHERE owner = {owner} AND size > 5",
    )
    await log.days(9)
    await log.sign()
    assert (await judge(program, await log.bundle())).good
    verdict = await judge(program, await log.bundle(), [kept])
    assert codes(verdict) == ["fork"]


async def test_two_nodes_that_fork_the_log_are_named(log: OwnLog, program: Path) -> None:
    """Two databases with the same past: what each signs is good alone, and false beside the other's."""
    copy = log.stack.control_name + "_fork"
    admin = await asyncpg.connect(log.stack.server.dsn("postgres", "postgres"))
    other = None
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            log.stack.control_name,
        )
        await admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{log.stack.control_name}"')
        other = await log.elsewhere(copy)
        await log.append(Entry("day", {}))
        await other.append(Entry("day", {}))
        here, there = await log.sign(), await other.sign()
        assert here.size == there.size
        assert here.root != there.root
        assert (await judge(program, await log.bundle())).good
        assert codes(await judge(program, await log.bundle(), [there.note.raw()])) == ["fork"]
        assert codes(await judge(program, await other.bundle(), [here.note.raw()])) == ["fork"]
    finally:
        if other is not None:
            await other.stack.control.close()
        await admin.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        await admin.close()


async def test_both_trees_of_one_size_in_one_bundle_are_named(log: OwnLog, program: Path) -> None:
    bundle = await log.bundle()
    text = f"{log.origin}\n7\n{'A' * 43}=\n"
    forged = checkpoint_line(log.signers.newest.note(text, log.origin))
    assert "fork" in codes(await judge(program, bundle + forged))


async def test_an_older_checkpoint_in_the_place_of_the_newest_is_named(log: OwnLog, program: Path) -> None:
    kept = (await log.sign()).note.raw()
    lines = (await log.bundle()).splitlines(keepends=True)
    assert codes(await judge(program, b"".join(lines[:-3]))) == ["unsigned"]
    assert "rolled_back" in codes(await judge(program, b"".join(lines[:-3]), [kept]))


async def test_a_proof_that_was_kept_convicts_a_rewritten_log(log: OwnLog, program: Path) -> None:
    checkpoint = await log.sign()
    async with log.stack.control.transaction() as connection:
        kept = (await prove(connection, log.owner, 6, checkpoint)).text()
    assert parse_proof(kept).index == 6
    assert (await judge(program, await log.bundle(), [kept])).good
    await log.tamper(
        "DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index >= 6",
        "DELETE FROM control.ledger_checkpoint WHERE owner = {owner} AND size > 6",
    )
    await log.days(6)
    await log.sign()
    assert codes(await judge(program, await log.bundle(), [kept])) == ["altered", "fork"]


async def test_a_checkpoint_of_another_key_is_named(log: OwnLog, program: Path) -> None:
    other = await OwnLog.open(log.stack)
    checkpoint = (await other.sign()).note.raw()
    assert codes(await judge(program, await log.bundle(), [checkpoint])) == ["signature"]


async def test_a_flipped_signature_is_named(log: OwnLog, program: Path) -> None:
    bundle = await log.bundle()
    note = parse_checkpoint((await log.sign()).note.raw())
    line = note.note.signatures[0].line().split(" ")[2].strip()
    flipped = line[:30] + ("A" if line[30] != "A" else "B") + line[31:]
    verdict = await judge(program, bundle.replace(line.encode(), flipped.encode()))
    assert "signature" in codes(verdict)


async def test_a_key_from_elsewhere_is_not_believed(log: OwnLog) -> None:
    bundle = await log.bundle()
    other = await OwnLog.open(log.stack)
    [key] = await verifier_keys(log.stack.control, other.owner)
    verdict = verified(bundle, key=str(key))
    assert {"origin", "signature"} <= set(codes(verdict))


async def test_lines_that_are_none_of_ours_are_named(log: OwnLog, program: Path) -> None:
    bundle = await log.bundle()
    assert "malformed" in codes(await judge(program, bundle + b'{"more":1}\n'))
    assert "malformed" in codes(await judge(program, bundle + b"\n"))
    assert "malformed" in codes(await judge(program, bundle.replace(b'"index":3', b'"index": 3')))


async def test_a_signing_key_that_nobody_handed_over_is_named(log: OwnLog, program: Path) -> None:
    """Whoever holds the database, but not the seed of the key in force, brings a key of their own."""
    forged = Signer(bytes(32))
    said: dict[str, Json] = {"key": to_base64(forged.public), "handover": to_base64(forged.sign(b"mine"))}
    done = await log.append(Entry("key", said))
    log.signers = Signers({**log.signers.by_public, forged.public: forged}, forged)
    await log.sign()
    found = [(one.code, one.index) for one in (await judge(program, await log.bundle())).findings]
    assert ("key", done.index) in found
    assert "signature" in [code for code, _ in found]


async def test_a_log_that_began_with_another_key_than_the_agreements_is_named(log: OwnLog) -> None:
    agreed = VerifierKey.of(log.origin, Signer(bytes(32)).public)
    found = [(one.code, one.index) for one in verified(await log.bundle(), key=str(agreed)).findings]
    assert ("key", 0) in found
