"""The Merkle tree of RFC 9162, section 2.1: hash, inclusion proof, consistency proof, and their verification.

    tree = Tree()
    tree.append(leaf_hash(b"..."))
    assert verify_inclusion(leaf_hash(b"..."), 0, tree.size, tree.inclusion(0, tree.size), tree.root())

A proof is a list of subtrees' hashes. Which subtrees, follows from the numbers alone; each is made of
complete ones (`cover`), whose hashes never change once they are complete and can be stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

__all__ = [
    "EMPTY",
    "Range",
    "Tree",
    "completed",
    "consistency_ranges",
    "cover",
    "fold",
    "inclusion_ranges",
    "leaf_hash",
    "node_hash",
    "verify_consistency",
    "verify_inclusion",
]

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

Range = tuple[int, int]  # leaves from the first number up to, not including, the second


def leaf_hash(leaf: bytes) -> bytes:
    """32 bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over neighbouring complete subtrees of falling size, the largest first."""
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def cover(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees that make up a range of a proof: (level, number), the largest first."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def completed(size: int, peaks: Sequence[bytes], leaf: bytes) -> list[bytes]:
    """The subtrees that leaf number `size` completes, smallest first: its own hash, then its ancestors'.

    `peaks`: hashes of the complete subtrees before it, the largest first; those it is joined with suffice.
    """
    found = [leaf]
    while size & 1:
        found.append(node_hash(peaks[-len(found)], found[-1]))
        size >>= 1
    return found


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The proof that leaf `index` is in the tree of `size`: its sibling first, the root's child last."""
    if not 0 <= index < size:
        raise ValueError("the tree has no such leaf")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The proof that the tree of `old` leaves is the start of that of `new`. Raises: ValueError from 0."""
    if not 0 < old <= new:
        raise ValueError("a consistency proof leads from a tree with leaves to one at least as large")
    start, end, whole, found = 0, new, True, []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` leads from the leaf's hash to `root`. Source: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size or not _hashes([leaf, root, *proof]):
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` leads to both roots. Never from size 0. Source: RFC 9162, 2.1.4.2."""
    if old == new > 0:
        return not proof and old_root == new_root
    if not 0 < old < new or not _hashes([old_root, new_root, *proof]):
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first, second = path[0], path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


class Tree:
    """A tree in memory: 64 bytes a leaf. Every size up to the present one can be asked for."""

    __slots__ = ("_levels",)

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """One more leaf, by its hash."""
        level = 0
        self._levels[0].append(leaf)
        while len(self._levels[level]) % 2 == 0:
            left, right = self._levels[level][-2:]
            level += 1
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(node_hash(left, right))

    def leaf(self, index: int) -> bytes:
        return self._levels[0][index]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves; of all of them without a number."""
        size = self.size if size is None else size
        return self._hash((0, size)) if size else EMPTY

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return [self._hash(one) for one in inclusion_ranges(index, size)]

    def consistency(self, old: int, new: int) -> list[bytes]:
        return [self._hash(one) for one in consistency_ranges(old, new)]

    def _hash(self, leaves: Range) -> bytes:
        start, end = leaves
        many = end - start
        if many & (many - 1) == 0:
            level = many.bit_length() - 1
            return self._levels[level][start >> level]
        return fold([self._levels[level][number] for level, number in cover(start, end)])


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _hashes(values: Iterable[bytes]) -> bool:
    return set(map(len, values)) == {32}
