"""A leaf: the bytes of one entry. At most 65,535, canonical JSON, nothing in it that names or describes.

leaf, openings = make_leaf(Entry("access", {...}, {"reason": "..."}), at)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import urandom

from mandant.vault.ledger.canonical import Json, decode, encode
from mandant.vault.ledger.commitment import SALT_SIZE, commit
from mandant.vault.ledger.kinds import KINDS, check_entry
from mandant.vault.ledger.malformed import Malformed

__all__ = ["LARGEST_LEAF", "Entry", "handover_text", "make_leaf", "read_leaf", "time_text"]

LARGEST_LEAF = 65_535


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded. `said` stands openly in the leaf, `hidden` only as commitments.

    Names, reasons and record ids are hidden; `said` has the fields of its kind (kinds.py), ids and words.
    """

    kind: str
    said: Mapping[str, Json]
    hidden: Mapping[str, Json] = field(default_factory=dict, repr=False)
    version: int = 1


def make_leaf(entry: Entry, at: datetime) -> tuple[bytes, dict[str, Json]]:
    """The leaf, and the opening of each of its commitments, with fresh salts.

    Raises: Malformed for a kind that is not declared, other fields than it has, or too many bytes.
    """
    if (entry.kind, entry.version) not in KINDS:
        raise Malformed(f"no kind {entry.kind} of version {entry.version} is declared")
    commits: dict[str, Json] = {}
    openings: dict[str, Json] = {}
    for name, value in entry.hidden.items():
        commits[name], openings[name] = commit(urandom(SALT_SIZE), name, value)
    encode([openings])  # one level more than where they are sealed: so deep they stand in the bundle
    own: dict[str, Json] = {
        "kind": entry.kind,
        "v": entry.version,
        "at": time_text(at),
        "commit": commits,
    }
    if own.keys() & entry.said.keys():
        raise Malformed("kind, version, time and commitments are not said a second time")
    whole: dict[str, Json] = {**entry.said, **own}
    check_entry(whole)
    leaf = encode(whole)
    if len(leaf) > LARGEST_LEAF:
        raise Malformed(f"a leaf of {len(leaf)} bytes; at most {LARGEST_LEAF}")
    return leaf, openings


def read_leaf(leaf: bytes) -> dict[str, Json]:
    """The entry. Raises: Malformed when these are not the bytes of an entry."""
    if len(leaf) > LARGEST_LEAF:
        raise Malformed(f"a leaf has at most {LARGEST_LEAF} bytes")
    entry = decode(leaf)
    check_entry(entry)
    assert isinstance(entry, dict)  # noqa: S101 - check_entry has looked
    return entry


def time_text(at: datetime) -> str:
    """`2026-03-02T09:00:00.000000Z`: of one length, so that text order is the order of time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def handover_text(origin: str, key: str) -> str:
    """What the former key signs for its successor (`key` in base64). No log's origin is its first line."""
    return f"mandant/ledger-key/1\n{origin}\n{key}\n"
