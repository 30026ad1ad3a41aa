"""The base of everything sealed: typed, strict about unknown fields, and silent when printed."""

from __future__ import annotations

from typing import Any, dataclass_transform

import msgspec


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class PartMeta(msgspec.StructMeta):
    """Makes every field keyword-only: msgspec does not inherit that setting, and fields get added."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        config.setdefault("kw_only", True)
        return super().__new__(mcls, name, bases, namespace, **config)


class Part(msgspec.Struct, metaclass=PartMeta, forbid_unknown_fields=True):
    """A Struct inside a record: an address, a phone number. Printing it shows no value."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> Any:
        return iter(())


class Record(Part):
    """One record of a module, sealed whole; the package's docstring has an example."""
