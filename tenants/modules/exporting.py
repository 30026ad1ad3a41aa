"""A module's records as JSON Lines or CSV, streamed: at no time more than one record in memory.

JSON Lines is exact: import it elsewhere, export again, equal. CSV is for people and spreadsheets: the
headings are import targets, lists of Parts get three items of columns and one of JSON for the rest, and
what a cell cannot hold (empty text, spaces around a text) comes back as nothing or trimmed. Source: C14.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.fields import FieldSpec
from mandant.tenants.modules.record import Part, Record
from mandant.tenants.modules.spreadsheet import guarded
from mandant.tenants.modules.terms import canonical

R = TypeVar("R", bound=Record)

SLOTS = 3
"""Items of a list that get columns of their own in CSV."""


@dataclass(frozen=True, slots=True)
class Exported(Generic[R]):
    """A record as it leaves: with its id and times (aware, UTC)."""

    id: UUID
    version: int
    created: datetime
    updated: datetime
    record: R


async def json_lines(records: AsyncIterable[Exported[R]]) -> AsyncIterator[bytes]:
    """One object a line: id, version, created, updated, then the record's own fields."""
    async for item in records:
        yield msgspec.json.encode({**_about(item), **msgspec.to_builtins(item.record)}) + b"\n"


async def csv_lines(
    module: Module[R], records: AsyncIterable[Exported[R]], *, delimiter: str = ";"
) -> AsyncIterator[bytes]:
    """UTF-8 with a byte-order mark, and `;` as Excel in Switzerland reads it; every cell guarded."""
    columns = columns_of(module)
    yield "\ufeff".encode() + _line(["id", "created", "updated", *(name for name, _ in columns)], delimiter)
    async for item in records:
        about = [str(item.id), item.created.isoformat(), item.updated.isoformat()]
        yield _line([*about, *(read(item.record) for _, read in columns)], delimiter)


def _about(item: Exported[Any]) -> dict[str, Any]:
    return {"id": item.id, "version": item.version, "created": item.created, "updated": item.updated}


def _line(cells: list[str], delimiter: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow([guarded(cell) for cell in cells])
    return out.getvalue().encode()


Read = Callable[[Any], str]


def columns_of(module: Module[Any]) -> list[tuple[str, Read]]:
    """(heading, how to read the cell from a record) in the order of the declaration."""
    columns: list[tuple[str, Read]] = []
    by_top: dict[str, list[FieldSpec]] = {}
    for field in module.fields:
        by_top.setdefault(field.names[0], []).append(field)
    for top, fields in by_top.items():
        first = fields[0]
        if len(first.names) == 1:
            columns.append((top, _list_cell(top) if first.many else _scalar_cell(top)))
        elif all(len(field.names) == 2 and not _mapping(field) for field in fields) and _flat(module, top):
            names = [field.names[1] for field in fields]
            for slot in range(SLOTS):
                columns += [
                    (f"{top}[{slot + 1}].{name}", _slot_cell(top, names, slot, name)) for name in names
                ]
            columns.append((f"{top}[+]", _rest_cell(top, names)))
        else:
            columns.append((f"{top}[+]", _json_cell(top)))
    return columns


def _flat(module: Module[Any], top: str) -> bool:
    """Is it a list of Parts that hold no lists themselves?"""
    field = next(f for f in msgspec.structs.fields(module.record) if f.name == top)
    info = msgspec.inspect.type_info(field.type)
    if isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    if not isinstance(info, msgspec.inspect.ListType):
        return False
    item = info.item_type.type if isinstance(info.item_type, msgspec.inspect.Metadata) else info.item_type
    if not isinstance(item, msgspec.inspect.StructType):
        return False
    return not any(isinstance(inner.type, msgspec.inspect.ListType) for inner in item.fields)


def _mapping(field: FieldSpec) -> bool:
    return getattr(field.type, "__origin__", None) is dict


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return canonical(value)


def _scalar_cell(name: str) -> Read:
    return lambda record: _text(getattr(record, name))


def _json_cell(name: str) -> Read:
    def read(record: Any) -> str:
        value = getattr(record, name)
        return "" if value is None else msgspec.json.encode(value).decode()

    return read


def _list_cell(name: str) -> Read:
    """`a; b`, or JSON where an item holds what separates items."""

    def read(record: Any) -> str:
        texts = [_text(value) for value in getattr(record, name) or ()]
        plain = all(text.strip() == text and text and not set(";,\n*[:") & set(text) for text in texts)
        return "; ".join(texts) if plain else msgspec.json.encode(texts).decode()

    return read


def _fits(item: Part, names: list[str]) -> bool:
    """Can the item be read back from cells of its own?"""
    texts = {name: getattr(item, name) for name in names}
    if any(isinstance(text, str) and (not text or text.strip() != text) for text in texts.values()):
        return False
    return any(value is not None for name, value in texts.items() if name != "kind")


def _slotted(record: Any, top: str, names: list[str]) -> int:
    """How many items stand in columns of their own: as many as fit, in order, from the first."""
    count = 0
    for item in (getattr(record, top) or ())[:SLOTS]:
        if not _fits(item, names):
            break
        count += 1
    return count


def _slot_cell(top: str, names: list[str], slot: int, name: str) -> Read:
    def read(record: Any) -> str:
        if slot >= _slotted(record, top, names):
            return ""
        return _text(getattr(getattr(record, top)[slot], name))

    return read


def _rest_cell(top: str, names: list[str]) -> Read:
    def read(record: Any) -> str:
        rest = (getattr(record, top) or [])[_slotted(record, top, names) :]
        return msgspec.json.encode(rest).decode() if rest else ""

    return read
