"""Signed notes, checkpoints and proof files to the letter of C2SP; every departure is refused."""

from __future__ import annotations

import pytest
from nacl.signing import SigningKey

from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.checkpoint import checkpoint_text, open_checkpoint, parse_checkpoint
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import Tree, leaf_hash
from mandant.vault.ledger.note import (
    BadSignature,
    VerifierKey,
    parse_note,
    sign_note,
    signed_by,
)
from mandant.vault.ledger.tlog_proof import BadProof, LeafProof, open_proof, parse_proof

# The worked example of C2SP signed-note 1.0.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"
    "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

NAME = "mandant.ledger/00ff"
KEY = SigningKey(bytes(range(32)))
VKEY = VerifierKey.of(NAME, KEY.verify_key.encode())
TREE = Tree(leaf_hash(bytes((number,))) for number in range(9))


def test_the_example_of_the_specification_is_verified() -> None:
    key = VerifierKey.parse(EXAMPLE_KEY)
    assert str(key) == EXAMPLE_KEY
    assert signed_by(parse_note(EXAMPLE), [key]) == [key]
    assert parse_note(EXAMPLE).raw() == EXAMPLE


def test_what_is_signed_is_opened_with_its_key_only() -> None:
    raw = sign_note("ä text\n\nof two parts\n", NAME, KEY)
    assert signed_by(parse_note(raw), [VKEY, VerifierKey.parse(EXAMPLE_KEY)]) == [VKEY]
    with pytest.raises(BadSignature):
        signed_by(parse_note(raw), [VerifierKey.parse(EXAMPLE_KEY)])
    with pytest.raises(BadSignature):
        signed_by(parse_note(raw.replace(b"text", b"test")), [VKEY])


def test_signatures_of_unknown_keys_are_passed_over_and_false_ones_of_known_keys_are_not() -> None:
    raw = sign_note("text\n", NAME, KEY)
    other = SigningKey(bytes(32))
    unknown = parse_note(sign_note("text\n", "somebody.else", other)).signatures[0].line().encode()
    assert signed_by(parse_note(raw + unknown), [VKEY]) == [VKEY]
    false = f"\u2014 {NAME} {to_base64(VKEY.key_id + bytes(64))}\n".encode()
    with pytest.raises(BadSignature):
        signed_by(parse_note(raw + false), [VKEY])


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"text\n", b"text\n\n", EXAMPLE[:-1], EXAMPLE + b"\n", EXAMPLE.replace(b" message", b"\tmessage"),
        EXAMPLE.replace("\u2014".encode(), b"-"), EXAMPLE.replace(b"example.com/foo", b"example+com"),
        EXAMPLE.replace(b"example.com/foo", b""), EXAMPLE.replace(b"M=\n", b"N=\n"), EXAMPLE.replace(b"M=\n", b"M\n"),
        EXAMPLE.replace(b"This", b"\xff"), EXAMPLE + EXAMPLE.split(b"\n\n")[1] * 100, b"x" * 1_000_001,
        b"text\n\n\xe2\x80\x94 name AAAA\n",
    ],
)  # fmt: skip
def test_bytes_that_are_no_note_are_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_note(raw)


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+530d903a", EXAMPLE_KEY.replace("530d903a", "530d903b"), EXAMPLE_KEY.replace("foo", "fo o"),
        EXAMPLE_KEY.replace("+Aeky", "+Beky"), EXAMPLE_KEY[:-4], EXAMPLE_KEY.replace("530d903a", "530D903A"),
    ],
)  # fmt: skip
def test_strings_that_are_no_verifier_key_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(text)


@pytest.mark.parametrize("text", ["no newline", "bell \x07\n"])
def test_a_text_that_no_note_can_have_is_not_signed(text: str) -> None:
    with pytest.raises(Malformed):
        assert parse_note(sign_note(text, NAME, KEY)).text == text


def checkpoint(size: int = 9, name: str = NAME) -> bytes:
    return sign_note(checkpoint_text(name, size, TREE.root(size)), name, KEY)


def test_a_checkpoint_is_three_lines_under_the_name_of_its_log() -> None:
    opened = open_checkpoint(checkpoint(), [VKEY])
    assert (opened.origin, opened.size, opened.root) == (NAME, 9, TREE.root())
    assert opened.note.text == f"{NAME}\n9\n{to_base64(TREE.root())}\n"


def test_a_checkpoint_of_one_log_is_none_of_another_with_the_same_key() -> None:
    with pytest.raises(BadSignature):
        open_checkpoint(checkpoint(name="mandant.ledger/ee"), [VKEY])
    signed_for_another = sign_note(checkpoint_text("mandant.ledger/ee", 9, TREE.root()), NAME, KEY)
    with pytest.raises(BadSignature):
        open_checkpoint(signed_for_another, [VKEY])


@pytest.mark.parametrize("size", ["", "09", "+9", "-9", "9 ", "nine", "9.0", str(1 << 63), "\u0669"])
def test_a_size_is_a_plain_decimal_number(size: str) -> None:
    with pytest.raises(Malformed):
        parse_checkpoint(sign_note(f"{NAME}\n{size}\n{to_base64(TREE.root())}\n", NAME, KEY))


@pytest.mark.parametrize("root", ["", "AAAA", "x", to_base64(bytes(33)), to_base64(bytes(32))[:-1]])
def test_a_root_is_32_bytes(root: str) -> None:
    with pytest.raises(Malformed):
        parse_checkpoint(sign_note(f"{NAME}\n9\n{root}\n", NAME, KEY))


def proof(index: int = 5) -> LeafProof:
    return LeafProof(bytes((index,)), index, tuple(TREE.inclusion(index, 9)), checkpoint())


def test_a_proof_file_is_read_as_it_was_written() -> None:
    text = proof().text()
    assert text.startswith(b"c2sp.org/tlog-proof@v1\nextra BQ==\nindex 5\n")
    assert text.endswith(b"\n\n" + checkpoint())
    assert parse_proof(text) == proof()
    assert open_proof(text, [VKEY])[0] == proof()


def test_a_proof_of_another_leaf_or_place_is_refused() -> None:
    text = proof().text()
    for broken in (text.replace(b"extra BQ==", b"extra BA=="), text.replace(b"index 5", b"index 6")):
        with pytest.raises(BadProof):
            open_proof(broken, [VKEY])
    with pytest.raises(BadSignature):
        open_proof(text, [VerifierKey.parse(EXAMPLE_KEY)])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"tlog-proof@v1", b"tlog-proof@v2"),
        (b"extra BQ==\n", b""),
        (b"index 5", b"index 05"),
        (b"index 5", b"number 5"),
        (b"\nindex", b"\n\nindex"),
        (b"extra BQ==", b"extra BR=="),
        (b"\n\n", b"\n"),
    ],
)
def test_bytes_that_are_no_proof_file_are_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(Malformed):
        parse_proof(proof().text().replace(old, new, 1))


def test_base64_has_one_spelling() -> None:
    assert from_base64("BQ==") == b"\x05"
    for text in ("BR==", "BQ", "BQ=", "B Q==", "BQ==\n", "_-==", "é"):
        with pytest.raises(Malformed):
            from_base64(text)
