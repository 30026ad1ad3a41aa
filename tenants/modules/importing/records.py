"""One row and a mapping to one record, or to everything that is wrong with the row."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from mandant.tenants.errors import Invalid
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.fields import FieldSpec
from mandant.tenants.modules.importing import values
from mandant.tenants.modules.importing.mapping import REST, Mapping, path_of, steps
from mandant.tenants.modules.importing.rows import Fault, SourceRow
from mandant.tenants.modules.record import Record
from mandant.tenants.modules.validation import untyped

R = TypeVar("R", bound=Record)

_SEVERAL = re.compile(r"\s*(?:;|,|\n| ::: )\s*")
_MAX_FAULTS = 50


class Importer:
    """A module and a checked mapping, ready for many rows. Holds no row."""

    def __init__(self, module: Module[R], mapping: Mapping) -> None:
        mapping.check(module)
        self._module: Module[Any] = module
        self._fields = {field.path: field for field in module.fields}
        self._columns = [
            (column.column, column.target, self._reading(column.target, mapping))
            for column in mapping.columns
            if column.target is not None
        ]
        self._column_of = {
            _numberless(path_of(target)): column for column, target, _ in reversed(self._columns)
        }

    def to_record(self, row: SourceRow) -> Record | list[Fault]:
        """The record, or every fault of the row with its line and column."""
        if row.faults:
            return list(row.faults)
        faults: list[Fault] = []
        plain = row.record if row.record is not None else self._plain(row, faults)
        if not faults:
            try:
                record: Record = self._module.from_plain(plain)
                self._module.encode(record)
            except Invalid as invalid:
                faults = [
                    Fault(row.line, self._column_of.get(_numberless(p.field), p.field), p.message)
                    for p in invalid.problems
                ]
            else:
                return record
        return faults[:_MAX_FAULTS]

    def _plain(self, row: SourceRow, faults: list[Fault]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for column, target, read in self._columns:
            text = row.values.get(column)
            if text is None:
                continue
            try:
                if (value := read(text)) is not None:
                    _place(built, target, value)
            except ValueError as refused:
                faults.append(Fault(row.line, column, str(refused)))
        plain = self._listed(built)
        if self._module.imports.finish and not faults:
            self._module.imports.finish(plain)
        return plain

    def _listed(self, built: dict[str, Any]) -> dict[str, Any]:
        """Items of lists, kept by name so far, as lists; an item's `kind` from its name."""
        plain: dict[str, Any] = {}
        for name, value in built.items():
            if not isinstance(value, _Items):
                plain[name] = self._listed(value) if isinstance(value, dict) else value
                continue
            kinds = self._kinds(name)
            items = list(value.get("", ()))
            for label, item in value.items():
                if label in ("", REST):
                    continue
                if isinstance(item, dict) and not isinstance(item, _Items):
                    kind = label.rstrip("0123456789")
                    if kind in kinds:
                        item.setdefault("kind", kind)
                    if set(item) <= {"kind"}:
                        # a type without what it is the type of
                        continue
                items.append(item)
            rest = value.get(REST, [])
            plain[name] = items + rest if isinstance(rest, list) else rest
        return plain

    def _kinds(self, name: str) -> tuple[str, ...]:
        field = self._fields.get(f"{name}.kind")
        return get_args(field.type) if field and get_origin(field.type) is Literal else ()

    def _reading(self, target: str, mapping: Mapping) -> Callable[[str], Any]:
        if target.startswith("~"):
            return str
        if target.endswith(f"[{REST}]"):
            return _json
        path = path_of(target)
        field = self._fields[path]
        one = self._module.imports.converters.get(path) or reading_of(field, mapping.date_order)
        is_list = field.many and len(field.names) == 1
        return partial(_several, one) if is_list and steps(target)[-1][1] is None else one


def reading_of(field: FieldSpec, order: values.DateOrder | None) -> Callable[[str], Any]:
    """How a cell's text becomes a plain value of the field's type."""
    kind = field.type
    if get_origin(kind) is Literal:
        return partial(_choice, {str(choice).casefold(): choice for choice in get_args(kind)})
    if get_origin(kind) is dict:
        return _json
    if isinstance(kind, type) and issubclass(kind, Enum):
        return partial(_choice, {str(choice.value).casefold(): choice.value for choice in kind})
    if kind is date:
        return partial(_day, order)
    simple: dict[Any, Callable[[str], Any]] = {
        bool: values.yes_or_no,
        int: _whole,
        float: lambda text: float(values.number(text)),
        Decimal: lambda text: str(values.number(text)),
        datetime: str.strip,
    }
    by_reading: dict[str, Callable[[str], Any]] = {
        "email": values.email,
        "phone": values.phone,
        "iban": values.iban,
    }
    if kind is str and field.reading in by_reading:
        return by_reading[field.reading]
    return simple.get(kind, str)


def _day(order: values.DateOrder | None, text: str) -> str | None:
    """None for Outlook's way to write no date: 0.0.00."""
    if not text.strip("0./- "):
        return None
    return values.day(text, order).isoformat()


def _whole(text: str) -> int:
    value = values.number(text)
    if value != int(value):
        raise ValueError("is no whole number")
    return int(value)


def _choice(choices: dict[str, Any], text: str) -> Any:
    try:
        return choices[text.strip().casefold()]
    except KeyError:
        raise ValueError(f"is none of: {', '.join(choices)}") from None


def _json(text: str) -> Any:
    try:
        return untyped(text.encode("utf-8", "surrogateescape"))
    except Invalid:
        raise ValueError("is not the JSON that our export writes here") from None


def _several(one: Callable[[str], Any], text: str) -> list[Any]:
    """A cell with several values: a JSON list as our export writes it, or separated as people do."""
    if text.startswith("["):
        try:
            return [one(item) for item in msgspec.json.decode(text.encode(), type=list[str])]
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            pass  # a bracket that somebody typed
    return [value for item in _SEVERAL.split(text) if item and (value := one(item)) != ""]


class _Items(dict[str, Any]):
    """Items of one list by their names in targets."""


def _place(built: dict[str, Any], target: str, value: Any) -> None:
    """Puts a value where its target says; two columns for one text are joined."""
    if target.startswith("~"):
        built.setdefault(target, value)
        return
    holder = built
    path = steps(target)
    for name, label in path[:-1]:
        if label is None:
            holder = holder.setdefault(name, {})
        else:
            holder = holder.setdefault(name, _Items()).setdefault(label, {})
    name, label = path[-1]
    if label is not None:
        holder.setdefault(name, _Items())[label] = value
    elif isinstance(value, list):
        items = holder.setdefault(name, _Items()).setdefault("", [])
        items.extend(item for item in value if item not in items)
    elif isinstance(held := holder.get(name), str) and isinstance(value, str):
        if value not in held:
            holder[name] = f"{held}\n{value}" if len(held) + len(value) > 80 else f"{held} {value}"
    else:
        holder[name] = value


def _numberless(path: str) -> str:
    return ".".join(part for part in path.split(".") if not part.isdigit())
