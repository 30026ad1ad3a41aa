"""A wrapped key opens under the key that wrapped it, for what it was wrapped for."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.vault import wrapping
from mandant.vault.category import Category
from mandant.vault.errors import Unopenable
from mandant.vault.wrapping import (
    CATEGORY_WRAP,
    LOCAL_WRAP,
    WRAP_OVERHEAD,
    WRAPPED_KEY_SIZE,
    Purpose,
    WrapContext,
    encode_encryption_context,
    unwrap,
    unwrap_bytes,
    wrap,
    wrap_bytes,
)

SCOPE_KEY = b"s" * 32
KEY = b"c" * 32
CONTEXT = WrapContext(UUID(int=1), Category.MODULE, Purpose.SEAL, generation=1, scope_generation=1)
contexts = st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4)


def test_a_wrapped_key_unwraps() -> None:
    wrapped = wrap(SCOPE_KEY, CONTEXT, KEY)
    assert len(wrapped) == WRAPPED_KEY_SIZE == 105
    assert unwrap(SCOPE_KEY, CONTEXT, wrapped) == KEY
    assert KEY not in wrapped


@pytest.mark.parametrize(
    "other",
    [
        replace(CONTEXT, scope=UUID(int=2)),
        replace(CONTEXT, category=Category.BANK),
        replace(CONTEXT, purpose=Purpose.INDEX),
        replace(CONTEXT, generation=2),
        replace(CONTEXT, scope_generation=2),
        replace(CONTEXT, generation=256, scope_generation=0),
    ],
    ids=["scope", "category", "purpose", "generation", "scope generation", "shifted"],
)
def test_a_wrap_taken_for_another_key_does_not_unwrap(other: WrapContext) -> None:
    wrapped = wrap(SCOPE_KEY, CONTEXT, KEY)
    with pytest.raises(Unopenable):
        unwrap(SCOPE_KEY, other, wrapped)


def test_another_scope_key_does_not_unwrap() -> None:
    with pytest.raises(Unopenable):
        unwrap(b"S" * 32, CONTEXT, wrap(SCOPE_KEY, CONTEXT, KEY))


def test_one_flipped_bit_anywhere_does_not_unwrap() -> None:
    wrapped = wrap(SCOPE_KEY, CONTEXT, KEY)
    for bit in range(len(wrapped) * 8):
        damaged = bytearray(wrapped)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Unopenable):
            unwrap(SCOPE_KEY, CONTEXT, bytes(damaged))


def test_every_wrong_size_does_not_unwrap() -> None:
    wrapped = wrap(SCOPE_KEY, CONTEXT, KEY)
    for size in range(len(wrapped)):
        with pytest.raises(Unopenable):
            unwrap(SCOPE_KEY, CONTEXT, wrapped[:size])
    with pytest.raises(Unopenable):
        unwrap(SCOPE_KEY, CONTEXT, wrapped + b"\0")
    with pytest.raises(Unopenable):
        unwrap_bytes(SCOPE_KEY, CATEGORY_WRAP, CONTEXT.encode(), wrapped[: WRAP_OVERHEAD - 1])


def test_the_commitment_is_compared_before_anything_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: object) -> bytes:
        raise AssertionError("decrypted before the commitment was checked")

    wrapped = wrap(SCOPE_KEY, CONTEXT, KEY)
    monkeypatch.setattr(wrapping, "aead_open", never)
    with pytest.raises(Unopenable):
        unwrap(b"S" * 32, CONTEXT, wrapped)


def test_one_use_of_the_construction_does_not_open_another() -> None:
    wrapped = wrap_bytes(SCOPE_KEY, CATEGORY_WRAP, CONTEXT.encode(), KEY)
    with pytest.raises(Unopenable):
        unwrap_bytes(SCOPE_KEY, LOCAL_WRAP, CONTEXT.encode(), wrapped)


@given(st.binary(max_size=600), st.binary(max_size=200))
def test_bytes_of_any_size_wrap(secret: bytes, context: bytes) -> None:
    wrapped = wrap_bytes(SCOPE_KEY, LOCAL_WRAP, context, secret)
    assert len(wrapped) == len(secret) + WRAP_OVERHEAD
    assert unwrap_bytes(SCOPE_KEY, LOCAL_WRAP, context, wrapped) == secret


@given(st.text(max_size=20), contexts, st.text(max_size=20), contexts)
def test_no_two_encryption_contexts_are_written_alike(
    first_ref: str, first: dict[str, str], second_ref: str, second: dict[str, str]
) -> None:
    alike = encode_encryption_context(first_ref, first) == encode_encryption_context(second_ref, second)
    assert alike == ((first_ref, first) == (second_ref, second))


def test_the_order_of_an_encryption_context_makes_no_difference() -> None:
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert encode_encryption_context("ref", one) == encode_encryption_context("ref", other)


def test_keys_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(SCOPE_KEY, CONTEXT, KEY[:31])
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(SCOPE_KEY[:31], CONTEXT, KEY)
