"""One order without a gap, whatever happens at once; only what is committed is signed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from mandant.vault.category import Category
from mandant.vault.ledger import (
    Entry,
    add_signer,
    append,
    hand_over,
    newest_checkpoint,
    open_ledger,
    prove,
    public_keys,
    sign_checkpoint,
    verifier_keys,
)
from mandant.vault.ledger.errors import Forked, LedgerDamaged, LedgerMissing, SignerMissing
from mandant.vault.ledger.leaf import read_leaf
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from mandant.vault.ledger.nodes import consistency_proof, inclusion_proof, root_of
from mandant.vault.ledger.tlog_proof import open_proof
from mandant.vault.scopes import SYSTEM, scope_id
from mandant.vault.stored import ScopeKind
from tests.stack import Stack
from tests.vault.ledger.world import OwnLog, codes, verified


@pytest.fixture
async def log(stack: Stack) -> OwnLog:
    return await OwnLog.open(stack)


async def test_sixteen_who_append_at_once_make_one_order_without_a_gap(log: OwnLog) -> None:
    async def one(number: int) -> list[int]:
        found: list[int] = []
        for turn in range(6):
            entries = [Entry("day", {}) for _ in range(1 + (number + turn) % 3)]
            async with log.stack.control.transaction() as connection:
                done = await append(connection, log.owner, log.key, entries, log.stack.clock.now())
            found += range(done.index, done.size)
        return found

    indexes = await asyncio.gather(*map(one, range(16)))
    assert sorted(chain.from_iterable(indexes)) == list(range(1, 1 + sum(map(len, indexes))))
    checkpoint = await log.sign()
    assert checkpoint.size == 1 + sum(map(len, indexes))
    assert (await log.verify()).good


async def test_stored_hashes_are_those_of_the_tree(log: OwnLog) -> None:
    for count in (1, 2, 5, 1, 8, 3, 16, 7):
        await log.append(*(Entry("day", {}) for _ in range(count)))
    async with log.stack.control.transaction() as connection:
        leaves = await connection.fetch(
            "SELECT leaf FROM control.ledger_leaf WHERE owner = $1 ORDER BY index", log.owner
        )
        tree = Tree(leaf_hash(row["leaf"]) for row in leaves)
        for size in range(1, tree.size + 1):
            assert await root_of(connection, log.owner, size) == tree.root(size)
            proof = await consistency_proof(connection, log.owner, size, tree.size)
            assert verify_consistency(size, tree.size, proof, tree.root(size), tree.root())
            path = await inclusion_proof(connection, log.owner, size - 1, tree.size)
            assert verify_inclusion(tree.leaf(size - 1), size - 1, tree.size, path, tree.root())


async def test_what_is_rolled_back_leaves_no_gap(log: OwnLog) -> None:
    with pytest.raises(ZeroDivisionError):
        async with log.stack.control.transaction() as connection:
            await append(connection, log.owner, log.key, [Entry("day", {})], log.stack.clock.now())
            _ = 1 // 0
    assert (await log.append(Entry("day", {}))).index == 1


async def test_a_checkpoint_covers_committed_entries_only(log: OwnLog) -> None:
    async with log.stack.control.transaction() as connection:
        await append(connection, log.owner, log.key, [Entry("day", {})], log.stack.clock.now())
        assert (await log.sign()).size == 1
    assert (await log.sign()).size == 2


async def test_entries_of_one_call_stand_together_and_bear_one_time(log: OwnLog) -> None:
    done = await log.append(Entry("day", {}), Entry("day", {}))
    assert done.size - done.index == 2
    assert len({str(read_leaf(leaf)["at"]) for leaf in done.leaves}) == 1


async def test_a_clock_set_back_does_not_set_the_log_back(log: OwnLog) -> None:
    now = log.stack.clock.now()
    async with log.stack.control.transaction() as connection:
        done = await append(connection, log.owner, log.key, [Entry("day", {})], now - timedelta(days=3))
    assert done.at == now


async def test_the_origin_says_nothing_of_the_owner_and_stays(log: OwnLog) -> None:
    assert log.owner.hex not in log.origin.replace("-", "")
    async with log.stack.control.transaction() as connection:
        again = await open_ledger(connection, log.owner, log.signers.newest, log.stack.clock.now())
    assert again == log.origin
    assert (await log.append(Entry("day", {}))).index == 1


async def test_who_has_no_log_cannot_append_or_sign(stack: Stack, log: OwnLog) -> None:
    with pytest.raises(LedgerMissing):
        async with stack.control.transaction() as connection:
            await append(connection, uuid4(), log.key, [Entry("day", {})], stack.clock.now())
    with pytest.raises(LedgerMissing):
        await sign_checkpoint(stack.control, log.signers, uuid4(), stack.clock.now())


async def test_openings_are_sealed_and_leaves_do_not_hold_them(log: OwnLog) -> None:
    await log.look()
    connection: Any = await asyncpg.connect(log.stack.control_url("postgres"))
    stored = b"".join(
        row["leaf"] + (row["sealed"] or b"")
        for row in await connection.fetch("SELECT leaf, sealed FROM control.ledger_leaf")
    )
    await connection.close()
    assert "Müller".encode() not in stored
    assert b"4711" not in stored
    assert "Müller".encode() in await log.bundle()


async def test_openings_are_sealed_under_accountability_only(log: OwnLog) -> None:
    other = log.scope.seal_key(Category.CONTRACT)
    with pytest.raises(ValueError, match="accountability"):
        async with log.stack.control.transaction() as connection:
            await append(connection, log.owner, other, [Entry("day", {})], log.stack.clock.now())


async def test_a_kind_that_is_not_declared_is_not_written(log: OwnLog) -> None:
    for entry in (Entry("gossip", {}), Entry("day", {"note": "free text"}), Entry("day", {}, version=2)):
        with pytest.raises(Malformed):
            await log.append(entry)


async def test_a_proof_file_holds_for_each_entry(log: OwnLog) -> None:
    await log.look()
    checkpoint = await log.sign()
    keys = await verifier_keys(log.stack.control, log.owner)
    async with log.stack.control.transaction() as connection:
        for index in range(checkpoint.size):
            text = (await prove(connection, log.owner, index, checkpoint)).text()
            proof, found = open_proof(text, keys)
            assert (proof.index, found) == (index, checkpoint)


async def test_signing_twice_gives_the_same_checkpoint(log: OwnLog) -> None:
    await log.days(3)
    first = await log.sign()
    assert await log.sign() == first == await newest_checkpoint(log.stack.control, log.owner)


async def test_many_who_sign_at_once_agree(log: OwnLog) -> None:
    await log.days(3)
    assert len({(await one).note.raw() for one in [asyncio.ensure_future(log.sign()) for _ in range(8)]}) == 1


async def test_a_new_signing_key_is_an_entry_signed_by_the_former_one(log: OwnLog) -> None:
    stack = log.stack
    await log.days(2)
    before = await log.sign()
    former = log.signers.newest
    system = await stack.keyring.open(scope_id(SYSTEM, ScopeKind.SYSTEM))
    unaware = log.signers
    log.signers = await add_signer(stack.control, system, stack.clock.now())
    assert log.signers.newest.public != former.public
    await log.days(1)
    assert (await log.sign()).size == before.size + 1  # by the former key: no entry says otherwise yet
    async with stack.control.transaction() as connection:
        done = await hand_over(connection, log.owner, former, log.signers.newest, stack.clock.now())
    assert done is not None
    assert read_leaf(done.leaves[0])["kind"] == "key"
    with pytest.raises(SignerMissing):
        await sign_checkpoint(stack.control, unaware, log.owner, stack.clock.now())
    await log.sign()
    await log.days(1)
    after = await log.sign()
    async with stack.control.transaction() as connection:
        assert await hand_over(connection, log.owner, former, log.signers.newest, stack.clock.now()) is None
    verdict = await log.verify(since=[before.note.raw(), after.note.raw()])
    assert verdict.good, verdict.findings
    assert [one.public for one in await verifier_keys(stack.control, log.owner)] == [
        former.public,
        log.signers.newest.public,
    ]
    assert {former.public, log.signers.newest.public} <= {
        one.public for one in await public_keys(stack.control)
    }


@pytest.mark.parametrize(
    "statement",
    [
        # Another tree, as somebody who knows the format would make it. An entry that is changed without its
        # ancestors' hashes is signed as it was, and named by the verifier (test_tampering.py).
        "UPDATE control.ledger_leaf SET nodes = substring(nodes FROM 1 FOR 64) || sha256(nodes)"
        " WHERE owner = {owner} AND index = 3",
        "DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index >= 3",
    ],
    ids=["rewritten", "truncated"],
)
async def test_a_log_that_contradicts_its_checkpoint_is_not_signed(log: OwnLog, statement: str) -> None:
    for _ in range(3):
        await log.days(1)
        await log.sign()
    await log.tamper(statement)
    with pytest.raises((Forked, LedgerDamaged)):
        await log.sign()


async def test_nothing_is_appended_to_a_log_whose_hashes_are_missing(log: OwnLog) -> None:
    await log.days(4)
    await log.tamper("DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index = 3")
    await log.days(2)  # they are joined with others
    with pytest.raises(LedgerDamaged):
        await log.days(1)


async def test_a_log_that_was_cut_and_grown_again_is_not_signed(log: OwnLog) -> None:
    await log.days(4)
    await log.sign()
    await log.tamper("DELETE FROM control.ledger_leaf WHERE owner = {owner} AND index >= 3")
    await log.days(1)
    with pytest.raises(Forked):
        await log.sign()
    await log.days(3)
    with pytest.raises(Forked):
        await log.sign()


async def test_the_bundle_of_a_large_log_is_whole(log: OwnLog) -> None:
    for _ in range(3):
        async with log.stack.control.transaction() as connection:
            await append(
                connection, log.owner, log.key, [Entry("day", {}) for _ in range(700)], log.stack.clock.now()
            )
    await log.sign()
    verdict = verified(await log.bundle())
    assert (verdict.size, codes(verdict)) == (2101, [])
