"""What entries there are and what each says openly. Specified in vault/FORMAT.md, Ledger.

The set is open: a kind that is added, or a version of one, is a line here and a rule in meaning.py.
A verifier that does not know it proves that the entry is there unchanged, and says that it does not know
what it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from mandant.vault.ledger.base64_text import from_base64
from mandant.vault.ledger.canonical import Json
from mandant.vault.ledger.malformed import Malformed

__all__ = ["KINDS", "TIME", "WORD", "Check", "check_entry"]

Check = Callable[[Json], bool]

TIME = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z", re.ASCII)
WORD = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_ORIGIN = re.compile(r"[a-z0-9./-]{1,128}", re.ASCII)


def _pattern(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _time(value: Json) -> bool:
    if not isinstance(value, str) or TIME.fullmatch(value) is None:
        return False
    try:
        return datetime.fromisoformat(value) is not None
    except ValueError:  # a thirteenth month
        return False


def _words(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(_word(one) for one in value)


def _count(value: Json) -> bool:
    return isinstance(value, int) and value >= 0


def _bytes(size: int) -> Check:
    def check(value: Json) -> bool:
        try:
            return isinstance(value, str) and bool(from_base64(value, size))
        except Malformed:
            return False

    return check


_id, _word = _pattern(_ID), _pattern(WORD)
_access = _one_of("read", "write")
_mode = _one_of("ordinary", "break_glass")

KINDS: Mapping[tuple[str, int], Mapping[str, Check]] = {
    # Of the log itself. `key`: a public Ed25519 key; `handover`: the former key's signature over the new one.
    ("start", 1): {"origin": _pattern(_ORIGIN), "key": _bytes(32)},
    ("key", 1): {"key": _bytes(32), "handover": _bytes(64)},
    ("day", 1): {},
    # Of support access. `agent` and `by` are pseudonyms, the same for one person throughout one log.
    ("request", 1): {
        "request": _id,
        "agent": _id,
        "mode": _mode,
        "access": _access,
        "modules": _words,
        "records": _one_of("all", "named"),
        "seconds": _count,
    },
    ("approve", 1): {
        "request": _id,
        "by": _id,
        "as": _one_of("staff", "tenant", "policy", "tenant_for_staff"),
    },
    ("grant", 1): {"grant": _id, "request": _id, "from": _time, "until": _time},
    ("access", 1): {
        "access": _id,
        "grant": _id,
        "agent": _id,
        "action": _one_of("read", "list", "search", "count", "export", "file", "write"),
        "module": _word,
        "count": _count,
    },
    ("result", 1): {"access": _id, "outcome": _one_of("done", "failed", "unknown"), "count": _count},
    ("notice", 1): {
        "notice": _id,
        "of": _id,
        "about": _one_of("request", "decision", "access", "end", "held"),
        "channels": _words,
    },
    ("revoke", 1): {"grant": _id, "by": _id, "as": _one_of("staff", "tenant")},
    ("end", 1): {"grant": _id, "why": _one_of("expired", "early", "revoked")},
}

_commitment = _bytes(32)


def check_entry(entry: Json) -> tuple[str, int]:
    """Kind and version of an entry that has the form of one; of a known kind, with exactly its fields.

    Raises: Malformed.
    """
    if not isinstance(entry, dict):
        raise Malformed("an entry is an object")
    kind, version, at, commits = (entry.get(name) for name in ("kind", "v", "at", "commit"))
    if not isinstance(kind, str) or not _word(kind) or not isinstance(version, int) or version < 1:
        raise Malformed("an entry has a kind and a version")
    if at is None or not _time(at):
        raise Malformed("an entry has a time in UTC with microseconds")
    if not isinstance(commits, dict) or not all(_word(k) and _commitment(v) for k, v in commits.items()):
        raise Malformed("an entry has commitments of 32 bytes, each under a word")
    fields = KINDS.get((kind, version))
    if fields is not None:
        said = entry.keys() - {"kind", "v", "at", "commit"}
        if said != fields.keys():
            raise Malformed(f"an entry of kind {kind} has the fields {', '.join(sorted(fields)) or 'none'}")
        for name, check in fields.items():
            if not check(entry[name]):
                raise Malformed(f"the field {name} of an entry of kind {kind} has another form")
    return kind, version
