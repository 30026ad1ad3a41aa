"""The verifier as one readable file that needs Python 3.11 and PyNaCl, for whoever has nothing of ours.

`python -m mandant.vault.ledger.one_file > verify_ledger.py`; then `python verify_ledger.py BUNDLE`.
It is made of the very modules that `mandant verify ledger` runs: there is nothing for the two to differ in.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["MODULES", "one_file"]

# Each stands after what it imports. They import each other, the standard library and PyNaCl: nothing else.
MODULES = (
    "malformed",
    "base64_text",
    "canonical",
    "merkle",
    "note",
    "checkpoint",
    "tlog_proof",
    "commitment",
    "kinds",
    "leaf",
    "meaning",
    "bundle_file",
    "verdict",
    "verify",
    "program",
)

_OWN_IMPORT = re.compile(r"^from mandant\.[a-z0-9_.]+ import (?:\([^)]*\)|[^\n]*)\n", re.MULTILINE)
_ALL = re.compile(r"^__all__ = \[[^\]]*\]\n", re.MULTILINE)
_FUTURE = "from __future__ import annotations\n"
# At the start of a line: a private name of a module, which another module may have, too.
_PRIVATE = re.compile(r"^(?:def |class )?(_[A-Za-z][A-Za-z0-9_]*)(?=[\s(:,])", re.MULTILINE)
_PAIR = re.compile(r"^(_[a-z]+), (_[a-z]+), (_[a-z]+) = ", re.MULTILINE)


def one_file() -> str:
    """The program's text."""
    folder = Path(__file__).parent
    parts = [
        '"""Verifies a ledger bundle offline: `python verify_ledger.py BUNDLE`. Needs PyNaCl."""\n\n'
        + _FUTURE
    ]
    for module in MODULES:
        text = (folder / f"{module}.py").read_text(encoding="utf-8").replace(_FUTURE, "")
        text = _ALL.sub("", _OWN_IMPORT.sub("", text))
        private = set(_PRIVATE.findall(text))
        private |= {name for names in _PAIR.findall(text) for name in names}
        for name in private:
            text = re.sub(rf"(?<![A-Za-z0-9_.\"']){name}(?![A-Za-z0-9_])", f"_{module}{name}", text)
        parts.append(f"# {module}\n\n{text}")
    parts.append('if __name__ == "__main__":\n    sys.exit(program())\n')
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(parts))


if __name__ == "__main__":
    sys.stdout.write(one_file())
