"""What is sent to search and to query a module: its own fields by name, so that the document lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from mandant.tenants.modules import FieldSpec, Module, Part
from mandant.tenants.modules.filtering import Operator

MAX_PAGE = 200

_Value = Annotated[str, msgspec.Meta(max_length=1000)]
_PAGE: list[Any] = [
    ("after", UUID | None, None),
    ("limit", Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)], 50),
]


def looking(module: Module[Any]) -> tuple[type[Any], type[Any]]:
    """The bodies of search and of query. `after`: the `next` of the page before."""
    name = module.record.__name__
    condition = _part(
        f"{name}Condition",
        "One searchable field and what is looked for; `beginnings` finds words that begin so.",
        [("field", _one_of(module.searchable_fields)), ("value", _Value), ("beginnings", bool, False)],
    )
    test = _part(
        f"{name}Test",
        "One field compared; `empty` with `true` or `false`.",
        [("field", _one_of(module.fields)), ("operator", Operator), ("value", _Value)],
    )
    conditions: Any = Annotated[list[condition], msgspec.Meta(min_length=1, max_length=10)]  # type: ignore[valid-type]
    tests: Any = Annotated[list[test], msgspec.Meta(max_length=10)]  # type: ignore[valid-type]
    search = _part(f"{name}Search", "All conditions must hold.", [("conditions", conditions), *_PAGE])
    query = _part(
        f"{name}Query",
        "A list sorted and filtered by any field. Opens every record: at most 50,000 in the module.",
        [
            ("filters", tests, msgspec.field(default_factory=list)),
            ("sort", _one_of(module.fields) | None, None),
            ("descending", bool, False),
            *_PAGE,
        ],
    )
    return search, query


def _one_of(fields: Iterable[FieldSpec]) -> Any:
    """Only these; where there are none, the handler refuses every name."""
    paths = tuple(field.path for field in fields)
    return Literal[paths] if paths else str


def _part(name: str, says: str, fields: list[Any]) -> type[Any]:
    """As a Part: strict, and silent when printed. defstruct cannot take a base with a metaclass."""
    return msgspec.defstruct(
        name,
        fields,
        namespace={"__doc__": says, "__repr__": Part.__repr__, "__rich_repr__": Part.__rich_repr__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
