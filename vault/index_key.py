"""One generation of a scope's index key, and the fields it has made terms for."""

from typing import NoReturn, SupportsIndex

from mandant.vault.index import FieldIndex, Kind, unique_term


class IndexKey:
    """Makes blind-index terms. `key` is 32 bytes and must stay secret; never printed or pickled."""

    __slots__ = ("_fields", "_key", "generation")

    def __init__(self, generation: int, key: bytes) -> None:
        self.generation = generation
        self._key = key
        self._fields: dict[tuple[str, str, Kind], FieldIndex] = {}

    def __repr__(self) -> str:
        return f"<index key generation {self.generation}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an index key is neither pickled nor copied")

    def term(self, module: str, field: str, kind: Kind, value: str) -> int:
        """The term of a normalised value: a signed 64-bit integer."""
        index = self._fields.get((module, field, kind))
        if index is None:
            index = self._fields[module, field, kind] = FieldIndex(self._key, module, field, kind)
        return index.term(value)

    def unique(self, module: str, field: str, value: str) -> bytes:
        """The term of a normalised value that is unique in its field: 16 bytes."""
        return unique_term(self._key, module, field, value)
