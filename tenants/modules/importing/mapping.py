"""Which column means which field: proposed from headings and samples, then the person's to change."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from mandant.tenants.errors import Invalid, Problem
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.importing import values
from mandant.tenants.modules.importing.rows import SourceRow
from mandant.vault import normalise

_STEP = re.compile(r"([a-z][a-z0-9_]*)(?:\[([A-Za-z0-9_+-]{1,40})\])?")
_COPY = re.compile(r" \(\d+\)$")


REST = "+"
"""`emails[+]` is a column of JSON: what our export cannot lay out in cells of its own."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of the file. `target` None: it is not imported. `confidence` 0 to 1 is the proposal's."""

    column: str
    target: str | None = None
    confidence: float = 0.0


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All columns of a file in their order, unmapped ones too. `date_order`: for dates with slashes."""

    columns: tuple[Column, ...]
    date_order: values.DateOrder | None = None

    def check(self, module: Module[Any]) -> None:
        """To be called on a mapping that a person changed. Raises: Invalid naming each wrong target."""
        known = {f.path for f in module.fields}
        problems = [
            Problem(column.column, f"is mapped to {column.target[:60]}, which {module.name} does not have")
            for column in self.columns
            if column.target is not None and not _is_target(column.target, known, module)
        ]
        if problems:
            raise Invalid(problems)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The columns that are not imported."""
        return tuple(column.column for column in self.columns if column.target is None)


def steps(target: str) -> list[tuple[str, str | None]]:
    """`addresses[work].street` -> [('addresses', 'work'), ('street', None)]; [] where it is no path."""
    found = [_STEP.fullmatch(step) for step in target.split(".")]
    return [(step[1], step[2]) for step in found if step] if all(found) else []


def path_of(target: str) -> str:
    """The field path of a target: without the items of its lists."""
    return ".".join(name for name, _ in steps(target))


def _is_target(target: str, known: set[str], module: Module[Any]) -> bool:
    if target.startswith("~"):
        return target in module.imports.headers
    return path_of(target) in known or _is_rest(target, known)


def _is_rest(target: str, known: set[str]) -> bool:
    path = steps(target)
    return len(path) == 1 and path[0][1] == REST and any(f.split(".")[0] == path[0][0] for f in known)


def propose(module: Module[Any], header: Sequence[str], samples: Sequence[SourceRow] = ()) -> Mapping:
    """A mapping from headings; where those say nothing, from what the samples look like.

    1.0: the heading is the target itself, as our export writes it; 0.95: a known heading; 0.85: one with its
    words in another order; 0.5: the samples all look like e-mail addresses, IBANs and so on.
    """
    names, patterns = _vocabulary(module)
    known = {field.path for field in module.fields}
    columns = []
    taken: set[str] = set()
    for heading in header:
        target, confidence = _by_heading(heading, names, patterns, known)
        if target is None:
            target, confidence = _by_samples(module, heading, samples, taken)
        if target is not None:
            taken.add(path_of(target))
        columns.append(Column(heading, target, confidence))
    day_paths = {field.path for field in module.fields if field.type is date}
    day_columns = [c.column for c in columns if c.target and path_of(c.target) in day_paths]
    dates = [row.values[name] for row in samples for name in day_columns if name in row.values]
    return Mapping(tuple(columns), values.date_order(dates))


def _key(heading: str) -> str:
    """A heading without case, accents, punctuation."""
    return " ".join(re.findall(r"\w+", normalise.text(heading) or ""))


def _shuffled(key: str) -> str:
    return " ".join(sorted(key.split()))


def _vocabulary(
    module: Module[Any],
) -> tuple[dict[str, tuple[str, float]], list[tuple[re.Pattern[str], str]]]:
    names: dict[str, tuple[str, float]] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    headers: Map[str, Sequence[str]] = module.imports.headers
    for target, headings in headers.items():
        for heading in headings:
            if "{n}" in heading:
                pattern = re.escape(_key(heading.replace("{n}", "0"))).replace("0", r"(\d{1,3})")
                patterns.append((re.compile(pattern), target))
            else:
                names.setdefault(_key(heading), (target, 0.95))
    for target, headings in headers.items():
        for heading in headings:
            if "{n}" not in heading:
                names.setdefault(_shuffled(_key(heading)), (target, 0.85))
    for field in module.fields:
        if not field.many or len(field.names) == 1:
            names.setdefault(_key(field.path.replace("_", " ").replace(".", " ")), (field.path, 0.95))
    return names, patterns


def _by_heading(
    heading: str,
    names: dict[str, tuple[str, float]],
    patterns: list[tuple[re.Pattern[str], str]],
    known: set[str],
) -> tuple[str | None, float]:
    if path_of(heading) in known or _is_rest(heading, known):
        return heading, 1.0
    key = _key(_COPY.sub("", heading))
    for pattern, target in patterns:
        if found := pattern.fullmatch(key):
            return target.replace("{n}", found[1]), 0.95
    if key in names:
        return names[key]
    if _shuffled(key) in names:
        return names[_shuffled(key)][0], 0.85
    return None, 0.0


def _by_samples(
    module: Module[Any], heading: str, samples: Sequence[SourceRow], taken: set[str]
) -> tuple[str | None, float]:
    texts = [row.values[heading] for row in samples if heading in row.values]
    if not texts:
        return None, 0.0
    for reading, look in (("email", values.email), ("iban", values.iban)):
        for field in module.fields:
            if field.reading == reading and field.path not in taken and _all(look, texts):
                target = field.path
                if field.many and len(field.names) > 1:
                    target = f"{field.names[0]}[1].{'.'.join(field.names[1:])}"
                return target, 0.5
    return None, 0.0


def _all(look: Any, texts: list[str]) -> bool:
    try:
        for text in texts:
            look(text)
    except ValueError:
        return False
    return True
