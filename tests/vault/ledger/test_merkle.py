"""RFC 9162's tree: published vectors where they are at hand, our own, and every size and pair to 300."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.vault.ledger.merkle import (
    EMPTY,
    Tree,
    completed,
    consistency_ranges,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

PUBLISHED = Path(__file__).parents[4] / "shared/vectors/merkle"
OURS = json.loads((Path(__file__).parent / "vectors.json").read_text())
LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(300)]
TREE = Tree(LEAVES)


def naive(leaves: list[bytes]) -> bytes:
    """The definition in RFC 9162, 2.1.1, as it stands there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive(leaves[:split]), naive(leaves[split:]))


def published(kind: str) -> list[Any]:
    files = sorted((PUBLISHED / kind).rglob("*.json"))
    cases = [pytest.param(json.loads(one.read_text()), id=one.stem) for one in files]
    return cases or [pytest.param(None, marks=pytest.mark.skip(reason="the published vectors are not here"))]


def raw(value: str | None) -> bytes:
    return b64decode(value or "")


@pytest.mark.parametrize("case", published("inclusion"))
def test_a_published_inclusion_vector_has_its_outcome(case: dict[str, Any]) -> None:
    proof = [raw(one) for one in case["proof"] or []]
    good = verify_inclusion(
        raw(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, raw(case["root"])
    )
    assert good is not case["wantErr"]


@pytest.mark.parametrize("case", published("consistency"))
def test_a_published_consistency_vector_has_its_outcome(case: dict[str, Any]) -> None:
    proof = [raw(one) for one in case["proof"] or []]
    good = verify_consistency(case["size1"], case["size2"], proof, raw(case["root1"]), raw(case["root2"]))
    assert good is not case["wantErr"]


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published vectors are not here")
def test_all_published_vectors_are_asked() -> None:
    assert [len(published(kind)) for kind in ("inclusion", "consistency")] == [98, 98]


@pytest.mark.parametrize("case", OURS["roots"])
def test_our_own_roots(case: dict[str, Any]) -> None:
    tree = Tree(leaf_hash(bytes.fromhex(one)) for one in case["leaves"])
    assert tree.root().hex() == case["root"]


@pytest.mark.parametrize("case", OURS["inclusion"])
def test_our_own_inclusion_vectors(case: dict[str, Any]) -> None:
    proof = [bytes.fromhex(one) for one in case["proof"]]
    leaf, root = bytes.fromhex(case["leaf_hash"]), bytes.fromhex(case["root"])
    good = verify_inclusion(leaf, case["index"], case["size"], proof, root)
    assert good is (case["expect"] == "ok")


@pytest.mark.parametrize("case", OURS["consistency"])
def test_our_own_consistency_vectors(case: dict[str, Any]) -> None:
    proof = [bytes.fromhex(one) for one in case["proof"]]
    roots = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    good = verify_consistency(case["old"], case["new"], proof, *roots)
    assert good is (case["expect"] == "ok")


def test_every_root_to_300_is_that_of_the_definition() -> None:
    assert [TREE.root(size) for size in range(301)] == [naive(LEAVES[:size]) for size in range(301)]
    assert TREE.root(0) == EMPTY


def test_every_leaf_of_every_size_to_300_is_proved() -> None:
    for size in range(1, 301):
        root = TREE.root(size)
        for index in range(size):
            assert verify_inclusion(LEAVES[index], index, size, TREE.inclusion(index, size), root)


def test_every_pair_of_sizes_to_300_is_proved() -> None:
    for new in range(1, 301):
        root = TREE.root(new)
        for old in range(1, new + 1):
            assert verify_consistency(old, new, TREE.consistency(old, new), TREE.root(old), root)


def test_each_leaf_completes_the_hashes_that_the_tree_has() -> None:
    levels: dict[tuple[int, int], bytes] = {}
    for size, leaf in enumerate(LEAVES):
        peaks = [
            levels[level, (size >> level) - 1]
            for level in range(size.bit_length(), -1, -1)
            if size >> level & 1
        ]
        for level, node in enumerate(completed(size, peaks, leaf)):
            levels[level, size >> level] = node
    for (level, number), node in levels.items():
        assert node == naive(LEAVES[number << level : (number + 1) << level])


def test_from_a_tree_without_leaves_nothing_is_proved() -> None:
    with pytest.raises(ValueError):
        consistency_ranges(0, 5)
    assert not verify_consistency(0, 5, [], EMPTY, TREE.root(5))
    assert not verify_consistency(0, 0, [], EMPTY, EMPTY)


@given(st.data())
def test_a_proof_that_is_changed_anywhere_proves_nothing(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    index = data.draw(st.integers(0, new - 1))

    def included(proof: list[bytes]) -> bool:
        return verify_inclusion(LEAVES[index], index, new, proof, TREE.root(new))

    def consistent(proof: list[bytes]) -> bool:
        return verify_consistency(old, new, proof, TREE.root(old), TREE.root(new))

    for proof, check in ((TREE.inclusion(index, new), included), (TREE.consistency(old, new), consistent)):
        assert check(proof)
        place = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(proof[place], "big") ^ 1 << bit).to_bytes(32, "big")
        assert not check([*proof[:place], flipped, *proof[place + 1 :]])
        assert not check(proof[:place] + proof[place + 1 :])
        assert not check([*proof, proof[place]])
        assert not check([proof[place], *proof])
        assert not check([*proof[:place], proof[place][:31], *proof[place + 1 :]])


@given(st.integers(1, 300), st.integers(0, 299), st.integers(-3, 303))
def test_a_proof_is_of_one_place_only(size: int, index: int, other: int) -> None:
    index %= size
    proof = TREE.inclusion(index, size)
    good = verify_inclusion(LEAVES[index], other, size, proof, TREE.root(size))
    assert good is (other == index)
