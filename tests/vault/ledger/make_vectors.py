"""Writes vectors.json anew: `python -m tests.vault.ledger.make_vectors`. Made once, then held to."""

import json
from pathlib import Path
from typing import Any

from mandant.vault.ledger.merkle import Tree, leaf_hash

# The last one is a leaf of the largest size; the others grow.
LEAVES = [b"", *(bytes(range(number)) for number in (1, 2, 4, 8, 16, 32, 64)), b"a", b"b", b"c", b"d", b"e"]


def vectors() -> dict[str, list[dict[str, Any]]]:
    """Roots; proofs that hold, and for each one that does not."""
    hashes = [leaf_hash(one) for one in LEAVES]
    tree = Tree(hashes)
    found: dict[str, list[dict[str, Any]]] = {"roots": [], "inclusion": [], "consistency": []}
    for size in range(len(LEAVES) + 1):
        found["roots"].append({"leaves": [one.hex() for one in LEAVES[:size]], "root": tree.root(size).hex()})
    for index, size in ((0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (12, 13), (6, 7), (8, 13)):
        case = {
            "index": index,
            "size": size,
            "leaf_hash": hashes[index].hex(),
            "root": tree.root(size).hex(),
            "proof": [one.hex() for one in tree.inclusion(index, size)],
        }
        found["inclusion"].append({**case, "expect": "ok"})
        found["inclusion"].append({**case, "index": index + 1, "expect": "refused"})
    for old, new in ((1, 1), (1, 8), (6, 8), (2, 5), (6, 7), (8, 13), (12, 13), (7, 13)):
        case = {
            "old": old,
            "new": new,
            "old_root": tree.root(old).hex(),
            "new_root": tree.root(new).hex(),
            "proof": [one.hex() for one in tree.consistency(old, new)],
        }
        found["consistency"].append({**case, "expect": "ok"})
        found["consistency"].append({**case, "old_root": tree.root(old - 1).hex(), "expect": "refused"})
    found["consistency"].append(
        {
            "old": 0,
            "new": 8,
            "old_root": tree.root(0).hex(),
            "new_root": tree.root(8).hex(),
            "proof": [],
            "expect": "refused",
        }
    )
    return found


if __name__ == "__main__":
    Path(__file__).with_name("vectors.json").write_text(json.dumps(vectors(), indent=1) + "\n")
