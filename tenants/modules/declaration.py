"""Declares a module: a typed record that gets sealed storage, search, an API, import and export.

What is sealed is two bytes of schema version (big-endian) and the record as one MessagePack map with
field names as keys and every field present, defaults too: a default that changes later must not change
what an old record says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar, get_origin

import msgspec

from mandant.tenants.errors import Invalid, Problem, TenantsError
from mandant.tenants.modules import filtering, limits, terms, validation
from mandant.tenants.modules.fields import DeclarationError, FieldSpec, describe
from mandant.tenants.modules.import_rules import ImportRules
from mandant.tenants.modules.record import Part, Record
from mandant.tenants.modules.upgrades import Upgrade, Upgrades
from mandant.vault.category import Category

R = TypeVar("R", bound=Record)

RESERVED_MODULES = frozenset(
    {"directory", "export", "files", "import", "imports", "jobs", "modules", "operator", "person"}
    | {"records", "search", "system", "tenant"}
)
RESERVED_FIELDS = frozenset({"id", "version", "created", "updated"})
CATEGORIES = (Category.MODULE, Category.BANK)

_MODULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


class CannotDecode(TenantsError):
    """Stored bytes opened, but are no record that this process knows. The message holds no value."""


class Module(Generic[R]):
    """One module of a tenant's data; see the package's docstring for an example.

    `name`: [a-z][a-z0-9_]{0,39}, part of addresses and of every key; never change it once records exist.
    `version`: of the schema, 1 to 65535. A new field WITH a default needs no new version. A rename, a
    removal or a new field without a default does, and an upgrade function for each version before.
    `rules`: what types cannot say, (field path, message) for each fault; they hold for what is sent and
    imported, not for what is stored already, so that a new rule does not lock old records away.
    `imports`: what people's files call the fields.
    `example`: a record that the API's documentation shows.

    Raises: DeclarationError, at import time, naming what to change.
    """

    def __init__(
        self,
        name: str,
        record: type[R],
        *,
        category: Category = Category.MODULE,
        version: int = 1,
        title: str | None = None,
        rules: Sequence[Callable[[R], Iterable[tuple[str, str]]]] = (),
        imports: ImportRules | None = None,
        example: R | None = None,
    ) -> None:
        _check_declaration(name, record, category, version)
        self.name = name
        self.record = record
        self.category = category
        self.version = version
        self.title = title or name.replace("_", " ").capitalize()
        self.fields: tuple[FieldSpec, ...] = describe(record)
        self.searchable_fields = tuple(f for f in self.fields if f.searchable)
        self.unique_fields = tuple(f for f in self.fields if f.unique)
        self._by_path = {f.path: f for f in self.fields}
        _check_names(name, self.fields)
        self.rules = tuple(rules)
        self.example = example
        self.imports = imports or ImportRules()
        _check_imports(name, self.imports, self._by_path)
        self._upgrades = Upgrades(name, version)
        self._head = version.to_bytes(2, "big")
        self._json = msgspec.json.Decoder(record)
        self._decoder = msgspec.msgpack.Decoder(record)
        self._encoder = msgspec.msgpack.Encoder()
        self._plain = all(
            field.type not in (float, Decimal) and get_origin(field.type) is not dict for field in self.fields
        )

    def __repr__(self) -> str:
        return f"Module({self.name!r}, version={self.version})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Module[R]:
        """Itself: Litestar copies what its handlers are made of, and a module is declared once."""
        return self

    def upgrade(self, *, from_version: int) -> Callable[[Upgrade], Upgrade]:
        """Registers a function from plain values of `from_version` to those of the next version.

        Plain values are what MessagePack holds: dates, decimals and UUIDs are text.
        """

        def register(step: Upgrade) -> Upgrade:
            self._upgrades.add(from_version, step)
            return step

        return register

    def check(self) -> None:
        """To be called once, when all upgrade functions are registered. Raises: DeclarationError at a gap."""
        self._upgrades.check()

    # stored bytes

    def encode(self, record: R) -> bytes:
        """The plaintext to seal, at most 1 MiB.

        Raises: Invalid where the record would not open again as what it is, or breaks a limit.
        """
        try:
            body = self._encoder.encode(record)
            self._decoder.decode(body)
        except (msgspec.MsgspecError, OverflowError, UnicodeError, TypeError, ValueError):
            validation.from_plain(msgspec.to_builtins(record), self.record)
            raise Invalid([Problem("", "does not fit the declaration")]) from None
        if not (self._plain and limits.surely_kept(body)):
            limits.check(record)
        if len(body) > limits.MAX_SEALED:
            raise Invalid([Problem("", f"is larger than {limits.MAX_SEALED} bytes")])
        return self._head + body

    def decode(self, plaintext: bytes | memoryview) -> R:
        """The record, upgraded where an older version was stored.

        Raises: CannotDecode where it was stored by a newer version of the program, or does not fit.
        """
        view = memoryview(plaintext)
        try:
            if view[:2] == self._head:
                return self._decoder.decode(view[2:])
            return msgspec.convert(self._upgraded(view), self.record)
        except msgspec.MsgspecError as refused:
            # msgspec quotes names of fields, and for enums the value: only what looks like a field is told
            named = re.search(r"field `(\w+)`|at `([$.\w\[\]]+)`", str(refused))
            raise CannotDecode(
                f"module {self.name}: stored values do not fit version {self.version} at "
                f"{(named and (named[1] or named[2])) or 'the record'}; a field that was added needs a "
                "default, one that was renamed or removed a new version with an upgrade"
            ) from None

    def is_current(self, plaintext: bytes | memoryview) -> bool:
        """Was it stored with the present schema version? If not, re-encrypt writes it back."""
        return memoryview(plaintext)[:2] == self._head

    def _upgraded(self, view: memoryview) -> dict[str, Any]:
        stored = int.from_bytes(view[:2], "big")
        if len(view) < 3 or stored == 0:
            raise CannotDecode(f"module {self.name}: the opened bytes are no record")
        if stored > self.version:
            raise CannotDecode(
                f"module {self.name}: stored with schema version {stored}, this process knows "
                f"{self.version}; update it"
            )
        return self._upgrades.apply(msgspec.msgpack.decode(view[2:], type=dict[str, Any]), stored)

    # what people send

    def parse(self, raw: bytes | memoryview) -> R:
        """A record from JSON. Raises: Invalid with every problem found, each with its field's path."""
        try:
            record = self._json.decode(raw) if len(raw) <= validation.MAX_JSON else None
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            record = None
        if record is None:
            return self.from_plain(validation.untyped(raw))
        return self._checked(record)

    def from_plain(self, values: Any) -> R:
        """A record from plain values, as JSON has them. Raises: Invalid with every problem found."""
        return self._ruled(validation.from_plain(values, self.record))

    def check_many(self, records: Sequence[R], path: str) -> None:
        """Limits and rules of records that came typed, as a list at `path`.

        Raises: Invalid with the problems of the first record that has any, each with its place.
        """
        for number, record in enumerate(records):
            try:
                self._checked(record)
            except Invalid as refused:
                raise Invalid(
                    [Problem(f"{path}.{number}.{p.field}".strip("."), p.message) for p in refused.problems]
                ) from None

    def _checked(self, record: R) -> R:
        limits.check(record)
        return self._ruled(record)

    def _ruled(self, record: R) -> R:
        problems = [problem for rule in self.rules for problem in rule(record)]
        if problems:
            raise Invalid(problems)
        return record

    # search

    def field(self, path: str) -> FieldSpec:
        """Raises: Invalid for a path that the record does not have."""
        try:
            return self._by_path[path]
        except KeyError:
            raise Invalid([Problem(path[:60], f"is not a field of {self.name}")]) from None

    def index_values(self, record: R) -> Iterator[terms.Entry]:
        """(field path, kind 'exact' or 'prefix', normalised value): one blind-index term each."""
        for field in self.searchable_fields:
            yield from terms.entries(field, record)

    def unique_values(self, record: R) -> Iterator[tuple[str, str]]:
        """(field path, normalised value) of unique fields that have one; distinct within the record."""
        for field in self.unique_fields:
            normals = dict.fromkeys(terms.normalised(field, value) for value in field.values(record))
            yield from ((field.path, normal) for normal in normals if normal)

    def look(self, path: str, asked: str, *, beginnings: bool = False) -> terms.Look:
        """What to ask the blind index, and `.found(record)` for each record opened after.

        Raises: Invalid where the field cannot be searched this way.
        """
        return terms.look(self.field(path), asked, beginnings=beginnings)

    # sort and filter by opening

    def sort_key(self, path: str) -> Callable[[Part], tuple[bool, Any]]:
        """For `sorted`: records without a value compare higher. Raises: Invalid for an unknown field."""
        return filtering.sort_key(self.field(path))

    def condition(self, path: str, operator: str, raw: str) -> filtering.Filter:
        """One filter from query parameters. Raises: Invalid where it makes no sense for the field."""
        return filtering.condition(self.field(path), operator, raw)

    def matches(self, record: R, filters: Iterable[filtering.Filter]) -> bool:
        """Does the record pass all of `filters`?"""
        return filtering.matches(record, filters)


def catalogue(modules: Iterable[Module[Any]]) -> dict[str, Module[Any]]:
    """The modules by name, each checked. Raises: DeclarationError where a name is taken or a gap is left."""
    by_name: dict[str, Module[Any]] = {}
    for module in modules:
        if module.name in by_name:
            raise DeclarationError(f"two modules are named {module.name}; rename one before it holds records")
        module.check()
        by_name[module.name] = module
    return by_name


def _check_declaration(name: str, record: type[Any], category: Category, version: int) -> None:
    if not _MODULE_NAME.fullmatch(name):
        raise DeclarationError(f"module name {name!r} must match [a-z][a-z0-9_]{{0,39}}")
    if name in RESERVED_MODULES:
        raise DeclarationError(f"module name {name!r} is reserved; choose another")
    if not (isinstance(record, type) and issubclass(record, Record)):
        raise DeclarationError(f"module {name}: the record must derive from mandant's Record")
    if category not in CATEGORIES:
        raise DeclarationError(f"module {name}: category must be MODULE or BANK; mandant keeps the others")
    if not 1 <= version <= 65535:
        raise DeclarationError(f"module {name}: version must be from 1 to 65535")
    if not msgspec.structs.fields(record):
        raise DeclarationError(f"module {name}: the record has no field")


def _check_imports(module: str, imports: ImportRules, fields: Mapping[str, FieldSpec]) -> None:
    for target in (*imports.headers, *imports.converters):
        if not target.startswith("~") and re.sub(r"\[[^\]]*\]", "", target) not in fields:
            raise DeclarationError(f"module {module}: imports= names {target!r}, which is no field")


def _check_names(module: str, fields: Iterable[FieldSpec]) -> None:
    for field in fields:
        if field.names[0] in RESERVED_FIELDS:
            raise DeclarationError(f"module {module}: field {field.names[0]!r} is reserved; rename it")
        for part in field.names:
            if not _FIELD_NAME.fullmatch(part):
                raise DeclarationError(f"module {module}: field {part!r} must match [a-z][a-z0-9_]{{0,59}}")
