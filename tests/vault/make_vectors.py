"""Writes vault/vectors/ from the vault itself, with salts that follow from a vector's name.

    python -m tests.vault.make_vectors

`build()` is what the files must hold; test_vectors.py compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt

from mandant.vault import envelope, normalise, stream, wrapping
from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place
from mandant.vault.index import term, unique_term
from mandant.vault.wrapping import Purpose, WrapContext
from tests.vault.two_keys import two_key_ciphertext

Vector = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "vault" / "vectors"
KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
SCOPE = "0193d1f4-8a00-7000-8000-00000000000a"
RECORD = "0193d1f4-8a00-7000-8000-000000000001"
OTHER = "0193d1f4-8a00-7000-8000-00000000000b"
BASE: Vector = {
    "key": KEY.hex(),
    "scope": SCOPE,
    "category": 1,
    "generation": 1,
    "module": "customers",
    "field": "record",
    "record_id": RECORD,
    "version": "1",
}
MOVED: Vector = {
    "key": OTHER_KEY.hex(),
    "scope": OTHER,
    "category": 2,
    "generation": 2,
    "module": "contacts",
    "field": "name",
    "record_id": OTHER,
    "version": "2",
}


def build() -> dict[str, list[Vector]]:
    return {
        "envelope": list(_envelopes()),
        "wrap": list(_wraps()),
        "stream": list(_streams()),
        "term": list(_terms()),
        "normalise": list(_normal_forms()),
    }


def three_chunks() -> bytes:
    """The sealed file that vectors/stream.bin holds: 131,073 zero bytes, so chunks of 65536, 65536 and 1."""
    return _seal_stream({**BASE, "name": "three chunks"}, bytes(131073))


def data_key(vector: Vector) -> DataKey:
    return DataKey(
        UUID(vector["scope"]),
        Category(vector["category"]),
        vector["generation"],
        bytes.fromhex(vector["key"]),
    )


def place(vector: Vector) -> Place:
    return Place(vector["module"], vector["field"])


@contextmanager
def _salt(name: str) -> Iterator[None]:
    salt = sha256(name.encode()).digest()[:24]
    with (
        patch.object(envelope, "urandom", lambda _size: salt),
        patch.object(wrapping, "urandom", lambda _size: salt),
        patch.object(stream, "urandom", lambda _size: salt),
    ):
        yield


def _seal(vector: Vector, plaintext: bytes) -> bytes:
    with _salt(vector["name"]):
        return envelope.seal(
            data_key(vector), place(vector), UUID(vector["record_id"]), int(vector["version"]), plaintext
        )


def _seal_stream(vector: Vector, plaintext: bytes) -> bytes:
    with _salt(vector["name"]):
        sealer = stream.FileSealer(
            data_key(vector), place(vector), UUID(vector["record_id"]), int(vector["version"])
        )
    return sealer.header + sealer.push(plaintext) + sealer.finish()


def _flip(sealed: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8) if at == bit // 8 else byte for at, byte in enumerate(sealed))


def _envelopes() -> Iterator[Vector]:
    good: list[tuple[str, Vector, bytes]] = [
        ("a record", {}, b'{"name":"Anna Muster"}'),
        ("an empty record", {}, b""),
        ("the highest numbers", {"generation": 2**32 - 1, "version": str(2**64 - 1), "category": 12}, b"x"),
        ("the lowest numbers", {"generation": 0, "version": "0"}, b"x"),
        ("names outside ASCII", {"module": "geschäfte", "field": "größe"}, b"x"),
        ("the longest names", {"module": "m" * 255, "field": "f" * 255}, b"x"),
        ("a column of a person", {"module": "person", "field": "email", "category": 3}, b"anna@example.ch"),
    ]
    for name, change, plaintext in good:
        vector = {"name": name, "expect": "ok", **BASE, **change}
        yield {**vector, "sealed": _seal(vector, plaintext).hex(), "plaintext": plaintext.hex()}
    vector = {"name": "a kibibyte", "expect": "ok", **BASE}
    repeated = {"repeat": "a5", "times": 1024}
    yield {**vector, "sealed": _seal(vector, b"\xa5" * 1024).hex(), "plaintext": repeated}

    sealed = _seal({"name": "a record", **BASE}, b'{"name":"Anna Muster"}')
    bad = {"expect": "unopenable", **BASE}
    for part, value in MOVED.items():
        yield {"name": f"another {part}", **bad, part: value, "sealed": sealed.hex()}
    yield {
        "name": "a letter moved from module to field",
        **bad,
        "module": "customer",
        "field": "srecord",
        "sealed": sealed.hex(),
    }
    for what, bit in (
        ("format", 1),
        ("generation", 39),
        ("salt", 40),
        ("commitment", 240),
        ("ciphertext", 500),
    ):
        yield {"name": f"a bit of the {what}", **bad, "sealed": _flip(sealed, bit).hex()}
    yield {"name": "a bit of the tag", **bad, "sealed": _flip(sealed, len(sealed) * 8 - 1).hex()}
    yield {"name": "format 0", **bad, "sealed": (b"\x00" + sealed[1:]).hex()}
    for size in (0, 1, 61, 76, len(sealed) - 1):
        yield {"name": f"only the first {size} bytes", **bad, "sealed": sealed[:size].hex()}
    yield {"name": "a byte too many", **bad, "sealed": (sealed + b"\x00").hex()}
    yield {"name": "plaintext", **bad, "sealed": (b'{"name":"Anna Muster"}' * 5).hex()}

    first, second = two_key_envelope()
    yield {"name": "made for two keys, the first", **BASE, "expect": "ok", **first}
    yield {"name": "made for two keys, the second", **bad, **second}


def two_key_envelope() -> tuple[Vector, Vector]:
    """An envelope whose ciphertext XChaCha20-Poly1305 opens under two keys, but which commits to one."""
    salt = sha256(b"two keys").digest()[:24]
    derived = []
    for key in (KEY, OTHER_KEY):
        with (
            patch.object(envelope, "urandom", lambda _size: salt),
            patch.object(envelope, "aead_seal") as seal,
        ):
            seal.return_value = b""
            header = envelope.seal(data_key({**BASE, "key": key.hex()}), place(BASE), UUID(RECORD), 1, b"")
            derived.append((header, seal.call_args.args[3]))
    (header, first), (_, second) = derived
    ciphertext = two_key_ciphertext(first, second, salt)
    plaintexts = [
        crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, None, salt, key) for key in (first, second)
    ]
    sealed = (header + ciphertext).hex()
    return (
        {"key": KEY.hex(), "sealed": sealed, "plaintext": plaintexts[0].hex()},
        {"key": OTHER_KEY.hex(), "sealed": sealed, "without_commitment": plaintexts[1].hex()},
    )


def _wraps() -> Iterator[Vector]:
    category: Vector = {
        "kind": "category",
        "key": KEY.hex(),
        "scope": SCOPE,
        "category": 1,
        "purpose": 1,
        "generation": 1,
        "scope_generation": 1,
    }
    secret = bytes(range(100, 132))
    for name, change in (
        ("a seal key", {}),
        ("an index key", {"purpose": 2}),
        ("the highest numbers", {"generation": 2**32 - 1, "scope_generation": 2**32 - 1, "category": 12}),
    ):
        vector = {"name": name, "expect": "ok", **category, **change}
        with _salt(name):
            wrapped = wrapping.wrap(bytes.fromhex(vector["key"]), wrap_context(vector), secret)
        yield {**vector, "sealed": wrapped.hex(), "plaintext": secret.hex()}
    with _salt("a seal key"):
        wrapped = wrapping.wrap(KEY, wrap_context(category), secret)
    bad = {"expect": "unopenable", **category}
    moved = {"key": OTHER_KEY.hex(), "scope": OTHER, "category": 2, "purpose": 2, "generation": 2}
    for part, value in {**moved, "scope_generation": 2}.items():
        yield {"name": f"another {part}", **bad, part: value, "sealed": wrapped.hex()}
    for what, bit in (("format", 1), ("salt", 8), ("commitment", 200), ("ciphertext", 500), ("tag", 839)):
        yield {"name": f"a bit of the {what}", **bad, "sealed": _flip(wrapped, bit).hex()}
    for size in (0, 72, 104):
        yield {"name": f"only the first {size} bytes", **bad, "sealed": wrapped[:size].hex()}

    context = {"mandant:scope": SCOPE, "mandant:kind": "tenant", "mandant:generation": "1"}
    local = {"kind": "local", "key": KEY.hex(), "key_ref": "local:1", "context": context}
    for name, plaintext in (
        ("local: a scope key", secret),
        ("local: around a tenant's own wrap", bytes(184)),
    ):
        vector = {"name": name, "expect": "ok", **local}
        with _salt(name):
            bound = wrapping.encode_encryption_context("local:1", context)
            wrapped = wrapping.wrap_bytes(KEY, wrapping.LOCAL_WRAP, bound, plaintext)
        yield {**vector, "sealed": wrapped.hex(), "plaintext": plaintext.hex()}
    bad = {"expect": "unopenable", **local, "sealed": wrapped.hex()}
    yield {"name": "local: another key_ref", **bad, "key_ref": "local:2"}
    yield {"name": "local: another value", **bad, "context": {**context, "mandant:generation": "2"}}
    yield {
        "name": "local: one pair fewer",
        **bad,
        "context": {"mandant:scope": SCOPE, "mandant:kind": "tenant"},
    }


def wrap_context(vector: Vector) -> WrapContext:
    return WrapContext(
        UUID(vector["scope"]),
        Category(vector["category"]),
        Purpose(vector["purpose"]),
        vector["generation"],
        vector["scope_generation"],
    )


def _streams() -> Iterator[Vector]:
    for name, plaintext in (("an empty file", b""), ("a short file", b"%PDF-1.7")):
        vector = {"name": name, "expect": "ok", **BASE}
        yield {**vector, "sealed": _seal_stream(vector, plaintext).hex(), "plaintext": plaintext.hex()}
    whole = len(three_chunks())
    one, two = 61 + 65552, 61 + 2 * 65552
    yield {
        "name": "three chunks",
        "expect": "ok",
        **BASE,
        "sealed": {"file": "stream.bin", "ranges": [[0, whole]]},
        "plaintext": {"repeat": "00", "times": 131073},
    }
    for part, value in MOVED.items():
        sealed = {"file": "stream.bin", "ranges": [[0, whole]]}
        yield {"name": f"another {part}", "expect": "unopenable", **BASE, part: value, "sealed": sealed}
    for name, ranges in {
        "the last chunk missing": [[0, two]],
        "the last byte missing": [[0, whole - 1]],
        "cut within a chunk": [[0, one + 1000]],
        "only the header": [[0, 61]],
        "less than the header": [[0, 60]],
        "chunks swapped": [[0, 61], [one, two], [61, one], [two, whole]],
        "a chunk twice": [[0, one], [61, whole]],
        "the first chunk missing": [[0, 61], [one, whole]],
        "the middle chunk missing": [[0, one], [two, whole]],
        "the last chunk twice": [[0, whole], [two, whole]],
        "a byte appended": [[0, whole], [0, 1]],
        "the file twice": [[0, whole], [0, whole]],
        "the last chunk alone": [[0, 61], [two, whole]],
    }.items():
        sealed = {"file": "stream.bin", "ranges": ranges}
        yield {"name": name, "expect": "unopenable", **BASE, "sealed": sealed}
    yield {
        "name": "a record's envelope",
        "expect": "unopenable",
        **BASE,
        "sealed": _seal({"name": "a record", **BASE}, b"x").hex(),
    }


def _terms() -> Iterator[Vector]:
    for module, field, kind, value in (
        ("customers", "email", "exact", "anna@example.ch"),
        ("customers", "email", "exact", "beat@example.ch"),
        ("customers", "phone", "exact", "+41446681800"),
        ("contacts", "email", "exact", "anna@example.ch"),
        ("customers", "name", "prefix", "mul"),
        ("customers", "name", "exact", "mul"),
        ("geschäfte", "größe", "exact", "東京"),
    ):
        number = str(term(KEY, module, field, kind, value))  # type: ignore[arg-type]
        vector = {"module": module, "field": field, "kind": kind, "value": value, "term": number}
        yield {"name": f"{module} {field} {kind} {value}", "expect": "ok", "key": KEY.hex(), **vector}
    for value in ("anna@example.ch", "CHE-123.456.788"):
        number = unique_term(KEY, "customers", "email", value).hex()
        vector = {"module": "customers", "field": "email", "kind": "unique", "value": value, "term": number}
        yield {"name": f"unique {value}", "expect": "ok", "key": KEY.hex(), **vector}


def _normal_forms() -> Iterator[Vector]:
    inputs = {
        "exact": ["A b", " ", "", "\ud800"],
        "text": [
            "  Café  MÜLLER ", "Straße", "STRASSE", "Mueller", "Sœur Thérèse", "Łódź", "O’Brien", "ﬁn",
            "İstanbul", "Ａ１", "a\u00a0b", "soft\u00adhyphen", "東京", "", " \t", "\u0301",
            "x" * 5000, "nul\x00",
        ],
        "email": [
            " Anna@MÜLLER.ch ", "ANNA+news@Example.CH", "anna@xn--mller-kva.ch", "straße@straße.de",
            "no address", "a@b@C.ch.", "", "anna＠example.ch", "x@-ü-",
        ],
        "phone": [
            "044 668 18 00", "+41 44 668 18 00", "0041 (0)44 668 18 00", "+49 30 901820", "intern 12", "+",
            "none", "", "٠٤٤ ٦٦٨ ١٨ ٠٠", "079/123.45.67 ext. 5",
        ],
        "iban": [
            "ch93 0076 2011 6238 5295 7", "CH9300762011623852957", "DE89-3704-0044-0532-0130-00", "", "?",
        ],
    }  # fmt: skip
    for kind, values in inputs.items():
        for value in values:
            form = getattr(normalise, kind)(value)
            outcome = {"expect": "none"} if form is None else {"expect": "ok", "form": form}
            yield {"name": f"{kind} {value[:20]!a}", "kind": kind, "value": value, **outcome}
    for value, length in (
        ("Hans Müller-Meier", 3), ("Li Wei", 3), ("Xu", 3), ("O’Brien", 3), ("  ", 3), ("Ä", 1),
    ):  # fmt: skip
        for kind in ("prefixes", "prefix_query"):
            forms = sorted(getattr(normalise, kind)(value, length))
            outcome = {"expect": "ok", "forms": forms} if forms else {"expect": "none"}
            yield {
                "name": f"{kind} {length} {value!a}",
                "kind": kind,
                "length": length,
                "value": value,
                **outcome,
            }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, vectors in build().items():
        (FOLDER / f"{name}.json").write_text(json.dumps(vectors, indent=1) + "\n")
    (FOLDER / "stream.bin").write_bytes(three_chunks())


if __name__ == "__main__":
    main()
