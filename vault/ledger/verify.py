"""Offline verification of a bundle: signatures, every proof, the full re-hash, and what the entries mean.

    verdict = verify_bundle(read_bundle(open(path, "rb")), key="mandant.ledger/...", since=[old_checkpoint])
    assert verdict.good, verdict.findings

Nothing is asked for over a network. A bundle alone cannot show that the operator handed out another one
before: `since` is for that. Keep a checkpoint, and no later bundle can contradict it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mandant.vault.ledger.base64_text import from_base64
from mandant.vault.ledger.bundle_file import Bundle, BundleEntry
from mandant.vault.ledger.canonical import Json
from mandant.vault.ledger.checkpoint import Checkpoint, parse_checkpoint
from mandant.vault.ledger.commitment import opens
from mandant.vault.ledger.leaf import handover_text, read_leaf
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.meaning import Story
from mandant.vault.ledger.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from mandant.vault.ledger.note import BadSignature, VerifierKey, signed_by, valid_ed25519
from mandant.vault.ledger.tlog_proof import MAGIC, BadProof, open_proof
from mandant.vault.ledger.verdict import Verdict

__all__ = ["verify_bundle"]


@dataclass(slots=True)
class _Log:
    """What stands once the entries have been read. `keys`: (from this size on, the key in force)."""

    tree: Tree
    keys: list[tuple[int, VerifierKey]]

    def key_at(self, size: int) -> VerifierKey:
        return next((key for start, key in reversed(self.keys) if start <= size), self.keys[0][1])


def verify_bundle(bundle: Bundle, *, key: str | None = None, since: Sequence[bytes] = ()) -> Verdict:
    """Everything that can be said about a bundle. Raises: Malformed when `key` is no verifier key.

    `key`: the log's first verifier key, from the agreement or a witness; without it the bundle's own is
    taken, and the verdict says so. `since`: checkpoints or proof files that were kept from earlier.
    """
    first = VerifierKey.parse(key or next(iter(bundle.keys), ""))
    verdict = Verdict(bundle.origin, str(first))
    if key is None:
        verdict.remarks.append("the key is the bundle's own word: compare it with the one in your agreement")
    for fault in bundle.faults:
        verdict.fault("malformed", fault)
    if first.name != bundle.origin:
        verdict.fault("origin", "the bundle is of another log than the key")
    log = _read_entries(bundle.entries, first, verdict)
    verdict.size = log.tree.size
    signed = _read_checkpoints(bundle, log, verdict)
    verdict.checkpoints = len(signed)
    _prove(log, signed, verdict)
    for raw in since:
        _compare(raw, bundle, log, signed, verdict)
    return verdict


def _read_entries(entries: Sequence[BundleEntry], first: VerifierKey, verdict: Verdict) -> _Log:
    """Re-hashes the entries up to the first gap, and reads each."""
    log = _Log(Tree(), [(0, first)])
    story = Story()
    last = ""
    for expected, one in enumerate(entries):
        if one.index != expected:
            code = "missing" if one.index > expected else "order"
            verdict.fault(code, f"entry {one.index} stands where entry {expected} has to", expected)
            break
        log.tree.append(leaf_hash(one.leaf))
        try:
            entry = read_leaf(one.leaf)
        except Malformed as error:
            verdict.fault("leaf", str(error), one.index)
            continue
        if str(entry["at"]) < last:
            verdict.fault("time", "earlier than the entry before it", one.index)
        last = str(entry["at"])
        _check_openings(one, entry, verdict)
        _check_keys(one.index, entry, log, verdict)
        story.tell(one.index, entry)
    story.close()
    for index, said in story.found:
        verdict.fault("meaning", said, index)
    verdict.remarks += story.remarks
    return log


def _check_openings(one: BundleEntry, entry: dict[str, Json], verdict: Verdict) -> None:
    commits = entry["commit"]
    assert isinstance(commits, dict)  # noqa: S101 - read_leaf has looked
    for name in sorted(commits.keys() | one.openings.keys()):
        if name not in one.openings:
            verdict.fault("opening", f"{name} is committed to and not opened", one.index)
        elif name not in commits:
            verdict.fault("opening", f"{name} is opened and not committed to", one.index)
        elif not opens(commits[name], name, one.openings[name]):
            verdict.fault("opening", f"{name} is not what was committed to", one.index)


def _check_keys(index: int, entry: dict[str, Json], log: _Log, verdict: Verdict) -> None:
    """The first entry names the log and its key; an entry of kind `key` a new one, handed over by the old."""
    kind = (entry["kind"], entry["v"])
    origin, former = log.keys[0][1].name, log.keys[-1][1]
    if index == 0 and kind != ("start", 1):
        verdict.fault("start", "a log begins with an entry of kind start", 0)
    if index == 0 and kind == ("start", 1):
        if entry["origin"] != origin:
            verdict.fault("origin", "the log began as another one", 0)
        if from_base64(str(entry["key"])) != former.public:
            verdict.fault("key", "the log began with another key", 0)
    if kind == ("key", 1):
        text = handover_text(origin, str(entry["key"])).encode()
        if valid_ed25519(former.public, text, from_base64(str(entry["handover"]))):
            log.keys.append((index + 1, VerifierKey.of(origin, from_base64(str(entry["key"])))))
        else:
            verdict.fault("key", "a new signing key that the former one did not sign", index)


def _read_checkpoints(bundle: Bundle, log: _Log, verdict: Verdict) -> list[Checkpoint]:
    """The checkpoints that are signed and of this log, by size, one of each size."""
    found: dict[int, Checkpoint] = {}
    for number, raw in enumerate(bundle.checkpoints):
        one = _open(raw, bundle.origin, log, f"checkpoint {number}", verdict)
        if one is None:
            continue
        if found.setdefault(one.size, one).root != one.root:
            verdict.fault("fork", f"two different trees of {one.size} entries are signed")
    return [found[size] for size in sorted(found)]


def _open(raw: bytes, origin: str, log: _Log, what: str, verdict: Verdict) -> Checkpoint | None:
    """A checkpoint, if the key that was in force at its size has signed it."""
    try:
        one = parse_checkpoint(raw)
        signed_by(one.note, [log.key_at(one.size)])
    except Malformed as error:
        verdict.fault("checkpoint", f"{what}: {error}")
    except BadSignature as error:
        verdict.fault("signature", f"{what}: {error}")
    else:
        if one.origin == origin:
            return one
        verdict.fault("origin", f"{what} is of another log")
    return None


def _prove(log: _Log, signed: Sequence[Checkpoint], verdict: Verdict) -> None:
    """Each checkpoint against the re-hash, then the proof of each to the next, and of each entry."""
    tree = log.tree
    good: list[Checkpoint] = []
    for one in signed:
        if one.size > tree.size:
            verdict.fault("truncated", f"{one.size} entries were signed, and {tree.size} are here")
            break
        if tree.root(one.size) != one.root:
            before = good[-1].size if good else 0
            said = f"altered: one of the entries {before} to {one.size - 1} is not what was signed"
            verdict.fault("altered", said, before if one.size - before == 1 else None)
            break
        if good and good[-1].size and not _consistent(tree, good[-1], one):
            verdict.fault("consistency", f"no proof from size {good[-1].size} to {one.size}")
        good.append(one)
    newest = good[-1] if good else None
    covered = newest.size if newest else 0
    if tree.size > covered and verdict.good:
        verdict.fault("unsigned", f"entries {covered} to {tree.size - 1} are under no signed checkpoint")
    if newest is not None:
        for index in range(newest.size):
            proof = tree.inclusion(index, newest.size)
            if not verify_inclusion(tree.leaf(index), index, newest.size, proof, newest.root):
                verdict.fault("inclusion", f"no proof in the tree of {newest.size}", index)


def _consistent(tree: Tree, old: Checkpoint, new: Checkpoint) -> bool:
    return verify_consistency(old.size, new.size, tree.consistency(old.size, new.size), old.root, new.root)


def _compare(raw: bytes, bundle: Bundle, log: _Log, signed: Sequence[Checkpoint], verdict: Verdict) -> None:
    """What was kept from earlier, against this bundle."""
    if raw.startswith(MAGIC.encode()):
        try:
            proof, checkpoint = open_proof(raw, {key for _, key in log.keys})
        except Malformed as error:
            verdict.fault("proof", f"the kept proof: {error}")
            return
        except (BadSignature, BadProof) as error:
            verdict.fault(
                "signature" if isinstance(error, BadSignature) else "proof", f"the kept proof: {error}"
            )
            return
        if proof.index < log.tree.size and log.tree.leaf(proof.index) != leaf_hash(proof.leaf):
            verdict.fault("altered", "not the entry of the kept proof", proof.index)
        raw = checkpoint.note.raw()
    old = _open(raw, bundle.origin, log, "the kept checkpoint", verdict)
    if old is None:
        return
    newest = signed[-1].size if signed else 0
    if old.size > newest:
        verdict.fault(
            "rolled_back", f"you hold a checkpoint of {old.size} entries, and this bundle ends at {newest}"
        )
    elif old.size <= log.tree.size and log.tree.root(old.size) != old.root:
        verdict.fault("fork", f"the first {old.size} entries are others than those of the kept checkpoint")
    elif 0 < old.size <= newest <= log.tree.size and not _consistent(log.tree, old, signed[-1]):
        verdict.fault("consistency", f"no proof from the kept size {old.size} to {newest}")
