"""A sealed file opens whole, in its order, in its place; however it arrives, in bounded memory."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place, open_, seal
from mandant.vault.errors import Unopenable
from mandant.vault.stream import (
    CHUNK,
    HEADER,
    TAG,
    FileOpener,
    FileSealer,
    file_generation,
    opened_size,
    sealed_size,
)

KEY = DataKey(UUID(int=1), Category.MODULE, 7, b"k" * 32)
PLACE = Place("files", "content")
FILE = UUID(int=2)
EDGES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK]


def seal_file(plaintext: bytes, piece: int = 1 << 20) -> bytes:
    sealer = FileSealer(KEY, PLACE, FILE, 1)
    pushed = [sealer.push(plaintext[at : at + piece]) for at in range(0, len(plaintext), piece)]
    return sealer.header + b"".join(pushed) + sealer.finish()


def open_file(sealed: bytes, piece: int = 1 << 20) -> bytes:
    opener = FileOpener(KEY, PLACE, FILE, 1)
    pushed = [opener.push(sealed[at : at + piece]) for at in range(0, len(sealed), piece)]
    return b"".join(pushed) + opener.finish()


@pytest.mark.parametrize("size", EDGES)
def test_a_file_of_any_size_opens(size: int) -> None:
    plaintext = bytes(range(256)) * (size // 256 + 1)
    sealed = seal_file(plaintext[:size])
    assert open_file(sealed) == plaintext[:size]
    assert len(sealed) == sealed_size(size)
    assert opened_size(len(sealed)) == size


@settings(max_examples=40, deadline=None)
@given(
    size=st.one_of(st.sampled_from(EDGES), st.integers(0, 3 * CHUNK)),
    pushed=st.integers(500, 3 * CHUNK),
    read=st.integers(500, 3 * CHUNK),
)
def test_the_pieces_it_arrives_in_make_no_difference(size: int, pushed: int, read: int) -> None:
    plaintext = b"\xa5" * size
    assert open_file(seal_file(plaintext, pushed), read) == plaintext


def test_byte_by_byte() -> None:
    assert open_file(seal_file(b"hello", 1), 1) == b"hello"


@given(st.integers(0, 10**9))
def test_a_size_follows_from_the_other(size: int) -> None:
    assert opened_size(sealed_size(size)) == size


@pytest.mark.parametrize(
    "size", [0, HEADER, HEADER + TAG - 1, HEADER + CHUNK + TAG + 1, HEADER + CHUNK + 2 * TAG]
)
def test_a_size_that_no_file_has_when_sealed_is_refused(size: int) -> None:
    with pytest.raises(Unopenable):
        opened_size(size)


@pytest.mark.parametrize(
    ("key", "place", "file", "version"),
    [
        (DataKey(UUID(int=9), Category.MODULE, 7, b"k" * 32), PLACE, FILE, 1),
        (DataKey(UUID(int=1), Category.BANK, 7, b"k" * 32), PLACE, FILE, 1),
        (DataKey(UUID(int=1), Category.MODULE, 8, b"k" * 32), PLACE, FILE, 1),
        (DataKey(UUID(int=1), Category.MODULE, 7, b"K" * 32), PLACE, FILE, 1),
        (KEY, Place("letters", "content"), FILE, 1),
        (KEY, Place("files", "preview"), FILE, 1),
        (KEY, PLACE, UUID(int=3), 1),
        (KEY, PLACE, FILE, 2),
    ],
    ids=["tenant", "category", "generation", "key", "module", "field", "file", "version"],
)
def test_a_file_moved_elsewhere_does_not_open(key: DataKey, place: Place, file: UUID, version: int) -> None:
    opener = FileOpener(key, place, file, version)
    with pytest.raises(Unopenable):
        opener.push(seal_file(b"x"))


def test_one_flipped_bit_anywhere_does_not_open() -> None:
    sealed = seal_file(b"hello")
    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unopenable):
            open_file(bytes(damaged))


def test_a_flipped_bit_in_any_chunk_does_not_open() -> None:
    sealed = seal_file(bytes(2 * CHUNK + 1))
    for at in (HEADER, HEADER + CHUNK + TAG, HEADER + 2 * (CHUNK + TAG), len(sealed) - 1):
        with pytest.raises(Unopenable):
            open_file(sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :])


def test_a_file_cut_anywhere_does_not_open() -> None:
    sealed = seal_file(bytes(CHUNK + 5))
    for size in [*range(HEADER + 20), *range(HEADER + CHUNK, len(sealed))]:
        with pytest.raises(Unopenable):
            open_file(sealed[:size])


def test_chunks_swapped_repeated_dropped_or_added_do_not_open() -> None:
    sealed = seal_file(bytes(3 * CHUNK))
    cuts = [HEADER + i * (CHUNK + TAG) for i in range(4)]
    header, chunks = sealed[:HEADER], [sealed[a:b] for a, b in pairwise(cuts)]
    assert open_file(header + b"".join(chunks)) == bytes(3 * CHUNK)
    for order in (
        [0, 1],
        [1, 2],
        [0, 2],
        [1, 0, 2],
        [0, 0, 2],
        [0, 1, 1],
        [0, 1, 1, 2],
        [0, 1, 2, 2],
        [2],
        [2, 1, 0],
    ):
        with pytest.raises(Unopenable):
            open_file(header + b"".join(chunks[number] for number in order))


def test_a_chunk_of_another_file_under_the_same_key_does_not_open() -> None:
    first, second = seal_file(bytes(CHUNK + 1)), seal_file(bytes(CHUNK + 1))
    with pytest.raises(Unopenable):
        open_file(first[: HEADER + CHUNK + TAG] + second[HEADER + CHUNK + TAG :])


def test_an_empty_chunk_after_others_does_not_open() -> None:
    """A file has one sealed length: nobody can hide an empty last chunk behind a full one."""
    sealer = FileSealer(KEY, PLACE, FILE, 1)
    full = sealer._chunks.seal(bytes(CHUNK), last=False)
    empty = sealer._chunks.seal(b"", last=True)
    with pytest.raises(Unopenable):
        open_file(sealer.header + full + empty)


def test_a_file_without_its_end_gives_nothing_at_the_end() -> None:
    opener = FileOpener(KEY, PLACE, FILE, 1)
    assert opener.push(seal_file(bytes(2 * CHUNK + 1))[: HEADER + CHUNK + TAG + 1]) == bytes(CHUNK)
    with pytest.raises(Unopenable):
        opener.finish()


def test_after_a_failure_nothing_opens_any_more() -> None:
    sealed = seal_file(bytes(2 * CHUNK))
    opener = FileOpener(KEY, PLACE, FILE, 1)
    opener.push(sealed[:HEADER])
    with pytest.raises(Unopenable):
        opener.push(bytes(CHUNK + TAG + 1))
    with pytest.raises(ValueError, match="failed"):
        opener.push(sealed[HEADER:])
    with pytest.raises(ValueError, match="failed"):
        opener.finish()


def test_a_finished_file_takes_nothing_more() -> None:
    sealer = FileSealer(KEY, PLACE, FILE, 1)
    sealer.finish()
    with pytest.raises(ValueError, match="finished"):
        sealer.push(b"x")
    with pytest.raises(ValueError, match="finished"):
        sealer.finish()


def test_a_record_is_no_file_and_a_file_no_record() -> None:
    with pytest.raises(Unopenable):
        open_file(seal(KEY, PLACE, FILE, 1, b"x"))
    with pytest.raises(Unopenable):
        open_(KEY, PLACE, FILE, 1, seal_file(b"x"))


def test_the_generation_can_be_read_from_the_first_bytes() -> None:
    assert file_generation(seal_file(b"")[:5]) == 7
    for header in (b"", b"\x01\0\0\0", b"\x02\0\0\0\x07"):
        with pytest.raises(Unopenable, match="format"):
            file_generation(header)


def test_a_file_of_100_megabytes_needs_memory_for_a_few_chunks_only() -> None:
    sealer, opener = FileSealer(KEY, PLACE, FILE, 1), FileOpener(KEY, PLACE, FILE, 1)
    piece, size = bytes(CHUNK), 0
    tracemalloc.start()
    size += len(opener.push(sealer.header))
    for _ in range(1600):
        size += len(opener.push(sealer.push(piece)))
    size += len(opener.push(sealer.finish()) + opener.finish())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 1600 * CHUNK
    assert peak < 20 * CHUNK
