"""`mandant verify ledger` says whether a downloaded file is good, without any setting and without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mandant.service.cli.main import mandant
from mandant.vault.ledger.base64_text import to_base64
from mandant.vault.ledger.bundle_file import checkpoint_line, entry_line, header_line
from mandant.vault.ledger.checkpoint import checkpoint_text
from mandant.vault.ledger.leaf import Entry, make_leaf
from mandant.vault.ledger.merkle import Tree, leaf_hash
from mandant.vault.ledger.note import VerifierKey
from mandant.vault.ledger.signers import Signer

SIGNER = Signer(bytes(32))
ORIGIN = "mandant.ledger/00"
KEY = str(VerifierKey.of(ORIGIN, SIGNER.public))


def note(tree: Tree) -> bytes:
    return SIGNER.note(checkpoint_text(ORIGIN, tree.size, tree.root()), ORIGIN)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    lines, tree = [header_line(ORIGIN, [KEY])], Tree()
    for entry in (Entry("start", {"origin": ORIGIN, "key": to_base64(SIGNER.public)}), Entry("day", {})):
        leaf, openings = make_leaf(entry, datetime(2026, 3, 2, tzinfo=UTC))
        lines.append(entry_line(tree.size, leaf, openings))
        tree.append(leaf_hash(leaf))
    path = tmp_path / "ledger"
    path.write_bytes(b"".join(lines) + checkpoint_line(note(tree)))
    return path


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(mandant, ["verify", "ledger", *arguments])


def test_a_good_bundle_ends_with_0(bundle: Path) -> None:
    done = verify(str(bundle), "--key", KEY)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "good: nothing was changed")
    assert "compare it" not in done.output


def test_the_bundles_own_key_is_remarked(bundle: Path) -> None:
    assert "compare it with the one in your agreement" in verify(str(bundle)).output


def test_a_changed_bundle_ends_with_1_and_names_the_entry(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes().replace(b"00.000000Z", b"00.000001Z"))
    done = verify(str(bundle), "--key", KEY)
    assert done.exit_code == 1
    assert "FAULT altered" in done.output


def test_an_older_checkpoint_is_compared(bundle: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(note(Tree([bytes(32)])))
    done = verify(str(bundle), "--since", str(old))
    assert done.exit_code == 1
    assert "FAULT fork" in done.output


def test_what_is_no_bundle_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    path.write_bytes(b"")
    done = verify(str(path))
    assert done.exit_code == 1
    assert "not verified" in done.output


def test_the_one_file_verifier_is_printed() -> None:
    done = CliRunner().invoke(mandant, ["verify", "program"])
    assert done.exit_code == 0
    compile(done.output, "verify_ledger.py", "exec")
    assert "mandant.vault" not in done.output
