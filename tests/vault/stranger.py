"""A second decryptor, written from vault/FORMAT.md alone and slow on purpose.

It shares nothing with the vault but the page: BLAKE2b after RFC 7693 and HChaCha20 after
draft-irtf-cfrg-xchacha-03 stand here in plain Python; ChaCha20-Poly1305 is `cryptography`'s.
"""

from __future__ import annotations

import struct
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

CHUNK = 65536
IV = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)  # fmt: skip
QUARTERS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


class StrangerRefuses(Exception):
    """Unopenable."""


def blake2b(size: int, key: bytes, person: str, message: bytes) -> bytes:
    parameters = bytes((size, len(key), 1, 1)) + bytes(44) + person.encode().ljust(16, b"\0")
    h = [a ^ b for a, b in zip(IV, struct.unpack("<8Q", parameters), strict=True)]
    data = (key.ljust(128, b"\0") if key else b"") + message
    blocks = [data[at : at + 128] for at in range(0, len(data), 128)] or [b""]
    absorbed = 0
    for number, block in enumerate(blocks):
        absorbed += len(block)
        last = number == len(blocks) - 1
        m = struct.unpack("<16Q", block.ljust(128, b"\0"))
        v = h + list(IV)
        v[12] ^= absorbed
        if last:
            v[14] ^= (1 << 64) - 1
        for step in range(12):
            s = SIGMA[step % 10]
            for index, (a, b, c, d) in enumerate(QUARTERS):
                v[a] = (v[a] + v[b] + m[s[2 * index]]) % (1 << 64)
                v[d] = _right(v[d] ^ v[a], 32)
                v[c] = (v[c] + v[d]) % (1 << 64)
                v[b] = _right(v[b] ^ v[c], 24)
                v[a] = (v[a] + v[b] + m[s[2 * index + 1]]) % (1 << 64)
                v[d] = _right(v[d] ^ v[a], 16)
                v[c] = (v[c] + v[d]) % (1 << 64)
                v[b] = _right(v[b] ^ v[c], 63)
        h = [h[i] ^ v[i] ^ v[i + 8] for i in range(8)]
    return struct.pack("<8Q", *h)[:size]


def chacha_rounds(state: list[int]) -> list[int]:
    x = list(state)
    for _ in range(10):
        for a, b, c, d in QUARTERS:
            x[a] = (x[a] + x[b]) % (1 << 32)
            x[d] = _left(x[d] ^ x[a], 16)
            x[c] = (x[c] + x[d]) % (1 << 32)
            x[b] = _left(x[b] ^ x[c], 12)
            x[a] = (x[a] + x[b]) % (1 << 32)
            x[d] = _left(x[d] ^ x[a], 8)
            x[c] = (x[c] + x[d]) % (1 << 32)
            x[b] = _left(x[b] ^ x[c], 7)
    return x


def chacha_state(key: bytes, rest: bytes) -> list[int]:
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + rest))


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    x = chacha_rounds(chacha_state(key, nonce))
    return struct.pack("<8I", *x[:4], *x[12:])


def chacha20_block(key: bytes, counter: int, nonce: bytes) -> bytes:
    state = chacha_state(key, counter.to_bytes(4, "little") + nonce)
    return struct.pack(
        "<16I", *((a + b) % (1 << 32) for a, b in zip(state, chacha_rounds(state), strict=True))
    )


def aead_open(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], sealed, b"")
    except InvalidTag:
        raise StrangerRefuses from None


def name(text: str) -> bytes:
    return bytes([len(text.encode())]) + text.encode()


def record_context(vector: dict[str, Any]) -> bytes:
    return (
        bytes.fromhex(vector["scope"].replace("-", ""))
        + bytes([vector["category"]])
        + struct.pack(">I", vector["generation"])
        + name(vector["module"])
        + name(vector["field"])
        + bytes.fromhex(vector["record_id"].replace("-", ""))
        + struct.pack(">Q", int(vector["version"]))
    )


def check_header(vector: dict[str, Any], header: bytes, person: str) -> bytes:
    """The record key or file key, if the 61 bytes are those of this key and context."""
    if header[0] != 1 or struct.unpack(">I", header[1:5])[0] != vector["generation"]:
        raise StrangerRefuses
    key = bytes.fromhex(vector["key"])
    derived = blake2b(64, key, person, record_context(vector) + header[5:29])
    if derived[32:] != header[29:61]:
        raise StrangerRefuses
    return derived[:32]


def open_envelope(vector: dict[str, Any], sealed: bytes) -> bytes:
    if len(sealed) < 77:
        raise StrangerRefuses
    key = check_header(vector, sealed[:61], "mandant/record/1")
    return aead_open(key, sealed[5:29], sealed[61:])


def open_stream(vector: dict[str, Any], sealed: bytes) -> bytes:
    if len(sealed) < 61 + 16:
        raise StrangerRefuses
    key = check_header(vector, sealed[:61], "mandant/stream/1")
    rest, plaintext, number = sealed[61:], b"", 0
    while len(rest) > CHUNK + 16:
        plaintext += aead_open(key, bytes(15) + struct.pack(">QB", number, 0), rest[: CHUNK + 16])
        rest, number = rest[CHUNK + 16 :], number + 1
    if len(rest) < 16 or (len(rest) == 16 and number > 0):
        raise StrangerRefuses
    return plaintext + aead_open(key, bytes(15) + struct.pack(">QB", number, 1), rest)


def unwrap(vector: dict[str, Any], wrapped: bytes) -> bytes:
    if vector["kind"] == "category":
        person = "mandant/wrap/1"
        context = (
            bytes.fromhex(vector["scope"].replace("-", ""))
            + bytes([vector["category"], vector["purpose"]])
            + struct.pack(">II", vector["generation"], vector["scope_generation"])
        )
        if len(wrapped) != 105:
            raise StrangerRefuses
    else:
        person = "mandant/local/1"
        pairs = sorted((key.encode(), value.encode()) for key, value in vector["context"].items())
        strings = [vector["key_ref"].encode()], [part for pair in pairs for part in pair]
        first, others = (b"".join(struct.pack(">H", len(s)) + s for s in group) for group in strings)
        context = first + struct.pack(">H", len(pairs)) + others
    if len(wrapped) < 73 or wrapped[0] != 1:
        raise StrangerRefuses
    derived = blake2b(64, bytes.fromhex(vector["key"]), person, context + wrapped[1:25])
    if derived[32:] != wrapped[25:57]:
        raise StrangerRefuses
    return aead_open(derived[:32], wrapped[1:25], wrapped[57:])


def term(vector: dict[str, Any]) -> str:
    """A term as its vector writes it: decimal, or hexadecimal where the field is unique."""
    key, value = bytes.fromhex(vector["key"]), vector["value"].encode()
    field = name(vector["module"]) + name(vector["field"])
    if vector["kind"] == "unique":
        return blake2b(16, key, "mandant/unique/1", field + value).hex()
    field += name(vector["kind"])
    tag = blake2b(5, key, "mandant/tag/1", field)
    return str(struct.unpack(">q", tag + blake2b(3, key, "mandant/term/1", field + value))[0])


def _right(value: int, by: int) -> int:
    return (value >> by | value << (64 - by)) % (1 << 64)


def _left(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) % (1 << 32)
