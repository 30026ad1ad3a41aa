"""A sealed record opens in its place, under its key, unchanged; and in no other case."""

from __future__ import annotations

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open

from mandant.vault import envelope
from mandant.vault.category import Category
from mandant.vault.envelope import OVERHEAD, DataKey, Place, generation_of, open_, seal
from mandant.vault.errors import Unopenable
from tests.vault.make_vectors import two_key_envelope

SCOPE, OTHER_SCOPE = UUID(int=1), UUID(int=2)
ROW, OTHER_ROW = UUID(int=3), UUID(int=4)
PLACE = Place("customers", "record")
SECRET = b'{"name":"Anna Muster"}'


def key(
    scope: UUID = SCOPE,
    category: Category = Category.MODULE,
    generation: int = 1,
    material: bytes = b"k" * 32,
) -> DataKey:
    return DataKey(scope, category, generation, material)


@given(plaintext=st.binary(max_size=4096), version=st.integers(0, 2**64 - 1), row=st.uuids())
def test_what_was_sealed_opens(plaintext: bytes, version: int, row: UUID) -> None:
    sealed = seal(key(), PLACE, row, version, plaintext)
    assert open_(key(), PLACE, row, version, sealed) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD


@given(
    first=st.tuples(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60)),
    second=st.tuples(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60)),
)
def test_no_two_places_share_a_key(first: tuple[str, str], second: tuple[str, str]) -> None:
    sealed = seal(key(), Place(*first), ROW, 1, SECRET)
    if first == second:
        assert open_(key(), Place(*second), ROW, 1, sealed) == SECRET
    else:
        with pytest.raises(Unopenable):
            open_(key(), Place(*second), ROW, 1, sealed)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 10_000_000])
def test_plaintext_of_any_size_opens(size: int) -> None:
    plaintext = bytes(size)
    assert open_(key(), PLACE, ROW, 1, seal(key(), PLACE, ROW, 1, plaintext)) == plaintext


def test_the_overhead_of_a_record_is_at_most_96_bytes() -> None:
    assert OVERHEAD == len(seal(key(), PLACE, ROW, 1, b"")) <= 96


def test_one_plaintext_sealed_twice_gives_unrelated_bytes() -> None:
    first, second = (seal(key(), PLACE, ROW, 1, SECRET) for _ in range(2))
    assert first[5:] != second[5:]
    assert first[61:] != second[61:]


def test_ciphertext_moved_to_another_row_does_not_open() -> None:
    refused(key(), PLACE, OTHER_ROW, 1)


def test_ciphertext_moved_to_another_field_does_not_open() -> None:
    refused(key(), Place("customers", "notes"), ROW, 1)


def test_ciphertext_moved_to_another_module_does_not_open() -> None:
    refused(key(), Place("contacts", "record"), ROW, 1)


def test_a_letter_moved_from_module_to_field_makes_another_place() -> None:
    refused(key(), Place("customer", "srecord"), ROW, 1)
    refused(key(), Place("customersr", "ecord"), ROW, 1)


def test_ciphertext_moved_to_another_category_does_not_open() -> None:
    refused(key(category=Category.BANK), PLACE, ROW, 1)


def test_ciphertext_moved_to_another_tenant_does_not_open() -> None:
    refused(key(scope=OTHER_SCOPE), PLACE, ROW, 1)


def test_ciphertext_given_another_version_does_not_open() -> None:
    refused(key(), PLACE, ROW, 2)


def test_ciphertext_given_another_generation_does_not_open() -> None:
    refused(key(generation=2), PLACE, ROW, 1)


def test_ciphertext_relabelled_to_another_generation_does_not_open() -> None:
    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    relabelled = sealed[:1] + (2).to_bytes(4, "big") + sealed[5:]
    assert generation_of(relabelled) == 2
    with pytest.raises(Unopenable):
        open_(key(generation=2), PLACE, ROW, 1, relabelled)


def test_another_key_of_the_same_scope_does_not_open() -> None:
    refused(key(material=b"K" * 32), PLACE, ROW, 1)


def refused(wrong_key: DataKey, place: Place, row: UUID, version: int) -> None:
    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    assert open_(key(), PLACE, ROW, 1, sealed) == SECRET
    with pytest.raises(Unopenable, match=r"^sealed bytes do not open$"):
        open_(wrong_key, place, row, version, sealed)


def test_one_flipped_bit_anywhere_does_not_open() -> None:
    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unopenable):
            open_(key(), PLACE, ROW, 1, bytes(damaged))


def test_a_flipped_bit_outside_the_ciphertext_is_refused_before_decryption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_arguments: object) -> bytes:
        raise AssertionError("decrypted before the commitment was checked")

    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    monkeypatch.setattr(envelope, "aead_open", never)
    for bit in range(61 * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unopenable):
            open_(key(), PLACE, ROW, 1, bytes(damaged))


def test_every_wrong_size_does_not_open() -> None:
    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    for size in range(len(sealed)):
        with pytest.raises(Unopenable):
            open_(key(), PLACE, ROW, 1, sealed[:size])
    with pytest.raises(Unopenable):
        open_(key(), PLACE, ROW, 1, sealed + b"\0")


@given(st.binary(max_size=300))
def test_plaintext_is_never_taken_for_sealed(anything: bytes) -> None:
    with pytest.raises(Unopenable):
        open_(key(), PLACE, ROW, 1, anything)


def test_an_unknown_format_is_named_and_does_not_open() -> None:
    sealed = b"\x02" + seal(key(), PLACE, ROW, 1, SECRET)[1:]
    with pytest.raises(Unopenable, match="format"):
        open_(key(), PLACE, ROW, 1, sealed)
    with pytest.raises(Unopenable, match="format"):
        generation_of(sealed)


def test_the_generation_can_be_read_without_a_key() -> None:
    assert generation_of(seal(key(generation=2**32 - 1), PLACE, ROW, 1, SECRET)) == 2**32 - 1
    with pytest.raises(Unopenable):
        generation_of(b"\x01" * 76)


def test_a_second_key_never_opens_although_the_cipher_alone_would_let_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = two_key_envelope()
    place, row = Place("customers", "record"), UUID("0193d1f4-8a00-7000-8000-000000000001")
    scope = UUID("0193d1f4-8a00-7000-8000-00000000000a")
    sealed = bytes.fromhex(first["sealed"])
    first_key = key(scope=scope, material=bytes.fromhex(first["key"]))
    second_key = key(scope=scope, material=bytes.fromhex(second["key"]))

    assert open_(first_key, place, row, 1, sealed) == bytes.fromhex(first["plaintext"])
    with pytest.raises(Unopenable):
        open_(second_key, place, row, 1, sealed)

    # The attack is real: where the commitment is not compared, the second key opens the same bytes.
    monkeypatch.setattr(envelope, "compare_digest", lambda *_both: True)
    other = open_(key(scope=scope, material=bytes.fromhex(second["key"])), place, row, 1, sealed)
    assert other == bytes.fromhex(second["without_commitment"]) != bytes.fromhex(first["plaintext"])


def test_the_refusal_says_nothing_about_key_or_content() -> None:
    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    with pytest.raises(Unopenable) as refusal:
        open_(key(), PLACE, ROW, 1, sealed[:-1] + bytes((sealed[-1] ^ 1,)))
    assert str(refusal.value) == "sealed bytes do not open"
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_the_record_key_is_not_the_category_key() -> None:
    sealed = seal(key(), PLACE, ROW, 1, SECRET)
    with pytest.raises(Exception, match="failed"):
        aead_open(sealed[61:], None, sealed[5:29], b"k" * 32)


@pytest.mark.parametrize("name", ["", "n" * 256, "ü" * 128])
def test_a_name_of_the_wrong_size_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        seal(key(), Place(name, "record"), ROW, 1, SECRET)


def test_a_key_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        key(material=b"k" * 31)
    with pytest.raises(ValueError, match="32 bits"):
        key(generation=2**32)


def test_a_version_that_does_not_fit_64_bits_is_refused() -> None:
    for version in (-1, 2**64):
        with pytest.raises(struct.error):
            seal(key(), PLACE, ROW, version, SECRET)
