"""A bundle that is changed in any byte, cut anywhere, or lacks a line, is never good and breaks nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mandant.vault.ledger.base64_text import to_base64
from mandant.vault.ledger.bundle_file import checkpoint_line, entry_line, header_line
from mandant.vault.ledger.checkpoint import checkpoint_text
from mandant.vault.ledger.leaf import Entry, make_leaf, time_text
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import Tree, leaf_hash
from mandant.vault.ledger.note import VerifierKey
from mandant.vault.ledger.signers import Signer
from tests.vault.ledger.world import access_story, verified

START = datetime(2026, 3, 2, tzinfo=UTC)
SIGNER = Signer(bytes(32))
ORIGIN = "mandant.ledger/00ff"
KEY = VerifierKey.of(ORIGIN, SIGNER.public)


def _bundle() -> bytes:
    lines, tree = [header_line(ORIGIN, [str(KEY)])], Tree()
    story = access_story(time_text(START), time_text(START + timedelta(hours=1)))
    for entry in [Entry("start", {"origin": ORIGIN, "key": to_base64(SIGNER.public)}), *story]:
        leaf, openings = make_leaf(entry, START)
        lines.append(entry_line(tree.size, leaf, openings))
        tree.append(leaf_hash(leaf))
    note = SIGNER.note(checkpoint_text(ORIGIN, tree.size, tree.root()), ORIGIN)
    return b"".join(lines) + checkpoint_line(note)


BUNDLE = _bundle()
LINES = BUNDLE.splitlines(keepends=True)


def _good(bundle: bytes) -> bool:
    try:
        return verified(bundle).good
    except Malformed:
        return False


def test_the_bundle_itself_is_good() -> None:
    assert _good(BUNDLE)


@settings(max_examples=600)
@given(st.integers(0, len(BUNDLE) - 2), st.integers(0, 255))
def test_any_byte_counts(place: int, byte: int) -> None:
    changed = BUNDLE[:place] + bytes((byte,)) + BUNDLE[place + 1 :]
    assert _good(changed) is (changed == BUNDLE)


@given(st.integers(0, len(BUNDLE) - 2))
def test_a_bundle_that_breaks_off_is_not_good(end: int) -> None:
    assert not _good(BUNDLE[:end])


def test_any_line_counts_and_its_place() -> None:
    for number in range(len(LINES)):
        assert not _good(b"".join(LINES[:number] + LINES[number + 1 :]))
    for number in range(1, len(LINES) - 2):
        assert not _good(b"".join([*LINES[:number], LINES[number + 1], LINES[number], *LINES[number + 2 :]]))
