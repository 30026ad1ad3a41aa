"""The verifier as a program: the same words for `mandant verify ledger` and for the one-file verifier."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from mandant.vault.ledger.bundle_file import read_bundle
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.verdict import Verdict
from mandant.vault.ledger.verify import verify_bundle

__all__ = ["program", "verify_files"]


def verify_files(bundle: Path, since: Sequence[Path], key: str | None) -> Verdict:
    """Verify a downloaded file. Raises: Malformed when it is no bundle; OSError."""
    with bundle.open("rb") as lines:
        read = read_bundle(lines)
    return verify_bundle(read, key=key, since=[one.read_bytes() for one in since])


def program(arguments: Sequence[str] | None = None) -> int:
    """0: good. 1: there are faults. 2: no bundle, or no such file."""
    parser = ArgumentParser(description="Verifies a ledger bundle offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--since", type=Path, action="append", default=[], metavar="OLD_CHECKPOINT")
    parser.add_argument("--key", help="the log's verifier key, name+id+key")
    given = parser.parse_args(arguments)
    try:
        verdict = verify_files(given.bundle, given.since, given.key)
    except (Malformed, OSError) as error:
        sys.stdout.write(f"not verified: {error}\n")
        return 2
    sys.stdout.write("\n".join(verdict.lines()) + "\n")
    return 0 if verdict.good else 1
