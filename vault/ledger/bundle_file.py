"""The bundle: one file with everything that a log's owner needs to verify it.

One canonical JSON object a line. The first line is the header, then each entry with its openings,
then the checkpoints by size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mandant.vault.ledger.canonical import Json, decode, encode
from mandant.vault.ledger.malformed import Malformed

__all__ = ["FORMAT", "Bundle", "BundleEntry", "checkpoint_line", "entry_line", "header_line", "read_bundle"]

FORMAT = "mandant/ledger-bundle/1"


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """`openings`: field -> opening of the commitment that the leaf has under this name."""

    index: int
    leaf: bytes
    openings: dict[str, Json]


@dataclass(slots=True)
class Bundle:
    """A bundle as it was read: nothing in it is verified. `faults`: lines that are none of ours."""

    origin: str
    keys: list[str]
    entries: list[BundleEntry] = field(default_factory=list)
    checkpoints: list[bytes] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def header_line(origin: str, keys: Sequence[str]) -> bytes:
    return encode({"format": FORMAT, "origin": origin, "keys": list(keys)}) + b"\n"


def entry_line(index: int, leaf: bytes, openings: dict[str, Json]) -> bytes:
    return encode({"index": index, "leaf": leaf.decode(errors="replace"), "open": openings}) + b"\n"


def checkpoint_line(note: bytes) -> bytes:
    return encode({"checkpoint": note.decode()}) + b"\n"


def read_bundle(lines: Iterable[bytes]) -> Bundle:
    """A bundle from its lines. Raises: Malformed when the header is not that of a bundle."""
    numbered = enumerate(lines, start=1)
    bundle = _header(_line(next(numbered, (1, b""))[1]))
    for number, raw in numbered:
        try:
            _read(bundle, _line(raw))
        except Malformed as error:
            bundle.faults.append(f"line {number}: {error}")
    return bundle


def _line(raw: bytes) -> dict[str, Any]:
    value = decode(raw.removesuffix(b"\n"))
    if not isinstance(value, dict):
        raise Malformed("a line of a bundle is an object")
    return value


def _header(value: dict[str, Any]) -> Bundle:
    if value.get("format") != FORMAT or not isinstance(value.get("origin"), str):
        raise Malformed(f"the first line is not that of {FORMAT}")
    keys = value.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Malformed("the first line lists no keys")
    return Bundle(value["origin"], keys)


def _read(bundle: Bundle, value: dict[str, Any]) -> None:
    if value.keys() == {"checkpoint"} and isinstance(value["checkpoint"], str):
        bundle.checkpoints.append(value["checkpoint"].encode())
        return
    if value.keys() != {"index", "leaf", "open"}:
        raise Malformed("neither an entry nor a checkpoint")
    index, leaf, openings = value["index"], value["leaf"], value["open"]
    if not isinstance(index, int) or not isinstance(leaf, str) or not isinstance(openings, dict):
        raise Malformed("an entry has a number, a leaf and its openings")
    bundle.entries.append(BundleEntry(index, leaf.encode(), openings))
