"""The ledger: an access and its notice appended against plain INSERTs of the same bytes; proofs; a large bundle."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle
from time import perf_counter
from uuid import UUID, uuid4

from nacl.utils import random
from uuid_utils.compat import uuid7

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.envelope import DataKey
from mandant.vault.ledger import Entry, Signers, append, ensure_signer, open_ledger
from mandant.vault.ledger.base64_text import to_base64
from mandant.vault.ledger.bundle_file import checkpoint_line, entry_line, header_line, read_bundle
from mandant.vault.ledger.checkpoint import checkpoint_text
from mandant.vault.ledger.leaf import make_leaf, time_text
from mandant.vault.ledger.merkle import Tree, leaf_hash
from mandant.vault.ledger.note import VerifierKey
from mandant.vault.ledger.signers import Signer
from mandant.vault.ledger.verify import verify_bundle
from mandant.vault.scopes import SYSTEM, scope_id
from mandant.vault.stored import ScopeKind
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure, Pair
from tests.benchmarks.turns import rates
from tests.benchmarks.world import World
from tests.stack import START
from tests.vault.ledger.world import access_story

__all__ = ["figures"]

OWNERS = 16
_PLAIN = (
    "CREATE TABLE IF NOT EXISTS plain_entry (owner uuid, id uuid PRIMARY KEY, entry bytea, at timestamptz)"
)


async def figures(world: World, effort: Effort) -> list[Figure]:
    """Two appends, a proof's time, a bundle's verification."""
    control = await ControlDatabase.open(world.stack.control_url(), size=OWNERS)
    try:
        found = [await _append(world, control, effort, owners) for owners in (OWNERS, 1)]
    finally:
        await control.close()
    return [*found, *_offline(effort.records(100_000))]


async def _append(world: World, control: ControlDatabase, effort: Effort, owners: int) -> Figure:
    """Milliseconds of a transaction with an access entry and its notice, `owners` at once."""
    stack = world.stack
    signers = await ensure_signer(
        control, await stack.keyring.open(scope_id(SYSTEM, ScopeKind.SYSTEM)), stack.clock.now()
    )
    logs = cycle([await _log(world, control, signers) for _ in range(owners)])
    at = stack.clock.now()
    story = access_story(time_text(at), time_text(at + timedelta(hours=1)))
    entries = [story[5], story[6]]
    plain = [make_leaf(one, at)[0] + random(200) for one in entries]
    admin = await ControlDatabase.open(stack.control_url("postgres"), size=1)
    async with admin.transaction() as connection:
        await connection.execute(_PLAIN)
        await connection.execute("GRANT SELECT, INSERT ON plain_entry TO mandant_app")
    await admin.close()

    async def ours() -> None:
        owner, key = next(logs)
        async with control.transaction() as connection:
            await append(connection, owner, key, entries, stack.clock.now())

    async def peer() -> None:
        owner, _ = next(logs)
        async with control.transaction() as connection:
            for one in plain:
                await connection.execute(
                    "INSERT INTO plain_entry VALUES ($1, $2, $3, $4)", owner, uuid7(), one, at
                )

    values = await rates(
        {"ours": ours, "peer": peer}, rounds=effort.fewer(9), seconds=effort.seconds, tasks=owners
    )
    times = {name: [1000 * owners / one for one in rate] for name, rate in values.items()}
    name = f"append an access and its notice, {owners} owners at once / plain INSERTs"
    return Figure.at_most(name, Pair.of(times["ours"], times["peer"], "ms"), 2.5)


async def _log(world: World, control: ControlDatabase, signers: Signers) -> tuple[UUID, DataKey]:
    owner = (await world.stack.tenant()).tenant_id
    scope = await world.stack.keyring.open(scope_id(owner, ScopeKind.OPERATOR))
    async with control.transaction() as connection:
        await open_ledger(connection, owner, signers.newest, world.stack.clock.now())
    return owner, scope.seal_key(Category.ACCOUNTABILITY)


def _offline(many: int) -> list[Figure]:
    """Seconds for a whole bundle with openings and a checkpoint every third entry; milliseconds of a proof."""
    lines, tree = _bundle(many)
    started = perf_counter()
    verdict = verify_bundle(read_bundle(lines))
    took = perf_counter() - started
    assert (verdict.findings, verdict.size) == ([], many), verdict.findings[:5]
    started = perf_counter()
    for index in range(0, many, max(1, many // 1000)):
        tree.inclusion(index, many)
    proof = (perf_counter() - started) / len(range(0, many, max(1, many // 1000)))
    return [
        Figure.counted(f"verify a bundle of {many:,} entries offline", round(took, 2), 10, "s"),
        Figure.counted(f"an inclusion proof from {many:,} entries", round(1000 * proof, 4), 5, "ms"),
    ]


def _bundle(many: int) -> tuple[list[bytes], Tree]:
    """Accesses one after the other, as bytes: PostgreSQL's part is measured above."""
    signer = Signer(random(32))
    origin = f"mandant.ledger/{uuid4().hex}"
    key = VerifierKey.of(origin, signer.public)
    lines, tree, at = [header_line(origin, [str(key)])], Tree(), START
    checkpoints = []
    entries = [Entry("start", {"origin": origin, "key": to_base64(signer.public)})]
    while tree.size < many:
        for entry in entries:
            leaf, openings = make_leaf(entry, at)
            lines.append(entry_line(tree.size, leaf, openings))
            tree.append(leaf_hash(leaf))
            if tree.size % 3 == 0 or tree.size == many:
                text = checkpoint_text(origin, tree.size, tree.root())
                checkpoints.append(checkpoint_line(signer.note(text, origin)))
        at += timedelta(minutes=10)
        entries = access_story(time_text(at), time_text(at + timedelta(minutes=5)))
        if many - tree.size < len(entries):
            entries = [Entry("day", {})] * (many - tree.size)
    return lines + checkpoints, tree
