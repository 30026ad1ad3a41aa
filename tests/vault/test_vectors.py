"""The vectors of vault/FORMAT.md, through the vault and through a decryptor that knows only the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from mandant.vault import normalise, wrapping
from mandant.vault.envelope import open_
from mandant.vault.errors import Unopenable
from mandant.vault.index import term, unique_term
from mandant.vault.stream import FileOpener
from tests.vault import stranger
from tests.vault.make_vectors import FOLDER, build, data_key, place, three_chunks, wrap_context

Vector = dict[str, Any]


def vectors(kind: str) -> list[Any]:
    return [pytest.param(v, id=v["name"]) for v in json.loads((FOLDER / f"{kind}.json").read_text())]


def bytes_of(value: Any) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value)
    if "repeat" in value:
        return bytes.fromhex(value["repeat"]) * int(value["times"])
    content = (FOLDER / value["file"]).read_bytes()
    return b"".join(content[start:end] for start, end in value["ranges"])


def our_envelope(vector: Vector, sealed: bytes) -> bytes:
    return open_(data_key(vector), place(vector), UUID(vector["record_id"]), int(vector["version"]), sealed)


def our_stream(vector: Vector, sealed: bytes) -> bytes:
    opener = FileOpener(data_key(vector), place(vector), UUID(vector["record_id"]), int(vector["version"]))
    return opener.push(sealed) + opener.finish()


def our_unwrap(vector: Vector, wrapped: bytes) -> bytes:
    key = bytes.fromhex(vector["key"])
    if vector["kind"] == "category":
        return wrapping.unwrap(key, wrap_context(vector), wrapped)
    bound = wrapping.encode_encryption_context(vector["key_ref"], vector["context"])
    return wrapping.unwrap_bytes(key, wrapping.LOCAL_WRAP, bound, wrapped)


def check(vector: Vector, opens: Callable[[Vector, bytes], bytes], refusal: type[Exception]) -> None:
    sealed = bytes_of(vector["sealed"])
    if vector["expect"] == "ok":
        assert opens(vector, sealed) == bytes_of(vector["plaintext"])
    else:
        assert vector["expect"] == "unopenable"
        with pytest.raises(refusal):
            opens(vector, sealed)


@pytest.mark.parametrize("vector", vectors("envelope"))
def test_envelope(vector: Vector) -> None:
    check(vector, our_envelope, Unopenable)
    check(vector, stranger.open_envelope, stranger.StrangerRefuses)


@pytest.mark.parametrize("vector", vectors("wrap"))
def test_wrap(vector: Vector) -> None:
    check(vector, our_unwrap, Unopenable)
    check(vector, stranger.unwrap, stranger.StrangerRefuses)


@pytest.mark.parametrize("vector", vectors("stream"))
def test_stream(vector: Vector) -> None:
    check(vector, our_stream, Unopenable)
    check(vector, stranger.open_stream, stranger.StrangerRefuses)


@pytest.mark.parametrize("vector", vectors("term"))
def test_term(vector: Vector) -> None:
    key, value = bytes.fromhex(vector["key"]), vector["value"]
    if vector["kind"] == "unique":
        ours = unique_term(key, vector["module"], vector["field"], value).hex()
    else:
        ours = str(term(key, vector["module"], vector["field"], vector["kind"], value))
    assert ours == vector["term"]
    assert stranger.term(vector) == vector["term"]


@pytest.mark.parametrize("vector", vectors("normalise"))
def test_normal_form(vector: Vector) -> None:
    function = getattr(normalise, vector["kind"])
    if "length" in vector:
        assert sorted(function(vector["value"], vector["length"])) == vector.get("forms", [])
    else:
        assert function(vector["value"]) == vector.get("form")
    assert (vector["expect"] == "none") == ("form" not in vector and "forms" not in vector)


def test_the_files_are_what_the_vault_writes() -> None:
    for kind, built in build().items():
        assert json.loads((FOLDER / f"{kind}.json").read_text()) == built, kind
    assert (FOLDER / "stream.bin").read_bytes() == three_chunks()


def test_every_kind_has_vectors_that_do_not_open() -> None:
    for kind in ("envelope", "wrap", "stream"):
        outcomes = {v["expect"] for v in json.loads((FOLDER / f"{kind}.json").read_text())}
        assert outcomes == {"ok", "unopenable"}
