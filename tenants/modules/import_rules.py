"""What a module may say about files that people import into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Converter = Callable[[str], Any]
"""A cell's text to the field's plain value. Raises: ValueError, whose message is shown to the person."""


@dataclass(frozen=True, slots=True)
class ImportRules:
    """Optional: without it, columns are matched by the names of the fields.

    A target is a field path; in a list of Parts the item stands in brackets: `addresses[work].street`.
    Columns with the same item go into one Part; where the Part has a field `kind` that knows the item's
    name, that is its kind. `[{n}]` takes the number that stands at `{n}` in the heading.

    `headers`: target -> headings in people's files, in any language; case, accents and order of words do
    not matter. A target beginning with `~` is no field: `finish` gets it and takes it out.
    `converters`: field path (without items) -> reading of a cell that its type alone does not explain.
    `finish`: changes the plain values of a row before they become a record.
    """

    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    converters: Mapping[str, Converter] = field(default_factory=dict)
    finish: Callable[[dict[str, Any]], None] | None = None
