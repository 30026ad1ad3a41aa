"""A witness that follows C2SP tlog-witness: what we send it, what we take from it, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from nacl.signing import SigningKey

from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.checkpoint import Checkpoint, checkpoint_text, open_checkpoint
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import Tree, leaf_hash, verify_consistency
from mandant.vault.ledger.note import COSIGNATURE, BadSignature, VerifierKey, parse_note, sign_note, signed_by
from mandant.vault.ledger.witness import (
    Otherwise,
    Refused,
    Witnessed,
    add_checkpoint_body,
    cosigned_text,
    read_answer,
    with_cosignatures,
)

NAME = "mandant.ledger/00ff"
KEY = SigningKey(bytes(range(32)))
VKEY = VerifierKey.of(NAME, KEY.verify_key.encode())
TREE = Tree(leaf_hash(bytes((number,))) for number in range(40))
OTHER = Tree(
    leaf_hash(bytes((number, 1 if number > 6 else 0)) if number > 6 else bytes((number,)))
    for number in range(40)
)


@dataclass
class Witness:
    """One that trusts our key and remembers one log."""

    seen: tuple[int, bytes] = (0, b"")
    time: int = 1_770_000_000
    key: SigningKey = field(default_factory=lambda: SigningKey(bytes(32)))

    @property
    def vkey(self) -> VerifierKey:
        return VerifierKey.of("witness.example/w1", self.key.verify_key.encode(), COSIGNATURE)

    def post(self, body: bytes) -> tuple[int, bytes]:
        head, _, note = body.partition(b"\n\n")
        first, *lines = head.decode().split("\n")
        old = int(first.removeprefix("old "))
        try:
            checkpoint = open_checkpoint(note, [VKEY])
        except BadSignature:
            return 403, b""
        if old > checkpoint.size:
            return 400, b""
        if old != self.seen[0]:
            return 409, f"{self.seen[0]}\n".encode()
        proof = [from_base64(one) for one in lines]
        if old and not verify_consistency(old, checkpoint.size, proof, self.seen[1], checkpoint.root):
            return 422, b""
        self.seen = (checkpoint.size, checkpoint.root)
        signature = self.key.sign(cosigned_text(checkpoint.note.text, self.time)).signature
        value = self.vkey.key_id + self.time.to_bytes(8, "big") + signature
        return 200, f"\u2014 {self.vkey.name} {to_base64(value)}\n".encode()


def signed(tree: Tree, size: int) -> Checkpoint:
    raw = sign_note(checkpoint_text(NAME, size, tree.root(size)), NAME, KEY)
    return open_checkpoint(raw, [VKEY])


def ask(witness: Witness, tree: Tree, old: int, size: int) -> Witnessed | Otherwise | Refused:
    checkpoint = signed(tree, size)
    proof = tree.consistency(old, size) if old else []
    status, body = witness.post(add_checkpoint_body(old, proof, checkpoint.note.raw()))
    return read_answer(status, body, checkpoint, [witness.vkey])


def test_a_growing_log_is_cosigned() -> None:
    witness = Witness()
    for old, size in ((0, 5), (5, 5), (5, 8), (8, 31), (31, 40)):
        answer = ask(witness, TREE, old, size)
        assert isinstance(answer, Witnessed)
        assert [(one.witness, one.at) for one in answer.cosignatures] == [
            ("witness.example/w1", witness.time)
        ]
        whole = with_cosignatures(signed(TREE, size), answer.cosignatures)
        assert signed_by(parse_note(whole), [VKEY]) == [VKEY]


def test_a_witness_that_has_seen_more_says_how_much() -> None:
    witness = Witness()
    ask(witness, TREE, 0, 20)
    assert ask(witness, TREE, 5, 31) == Otherwise(20)


def test_a_fork_is_found_by_the_witness() -> None:
    witness = Witness()
    ask(witness, TREE, 0, 20)
    assert ask(witness, OTHER, 20, 31) == Refused(422)
    assert ask(witness, OTHER, 20, 20) == Refused(422)


def test_an_old_checkpoint_replayed_is_found_by_the_witness() -> None:
    witness = Witness()
    ask(witness, TREE, 0, 20)
    assert ask(witness, TREE, 0, 15) == Otherwise(20)
    assert ask(witness, TREE, 5, 15) == Otherwise(20)


def test_an_older_database_that_went_on_is_found_by_the_witness() -> None:
    witness = Witness()
    ask(witness, TREE, 0, 20)
    restored = Tree(TREE.leaf(number) for number in range(9))
    for number in range(20):
        restored.append(leaf_hash(b"later" + bytes((number,))))
    assert ask(witness, restored, 20, 25) == Refused(422)


def test_the_body_is_that_of_the_specification() -> None:
    proof = TREE.consistency(5, 8)
    lines = add_checkpoint_body(5, proof, signed(TREE, 8).note.raw()).decode().split("\n")
    assert lines[: len(proof) + 2] == ["old 5", *map(to_base64, proof), ""]
    assert lines[len(proof) + 2 : len(proof) + 4] == [NAME, "8"]
    with pytest.raises(ValueError):
        add_checkpoint_body(0, proof, b"")
    with pytest.raises(ValueError):
        add_checkpoint_body(1, [bytes(32)] * 64, b"")


def test_the_example_cosignature_of_the_specification_has_its_form() -> None:
    """C2SP tlog-cosignature: eight bytes of time in seconds, then 64 of the signature."""
    value = from_base64(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    assert int.from_bytes(value[4:12], "big") == 1679315147
    assert len(value) == 4 + 8 + 64


def test_a_cosignature_of_another_text_time_or_witness_is_refused() -> None:
    witness, checkpoint = Witness(), signed(TREE, 8)
    _, good = witness.post(add_checkpoint_body(0, [], checkpoint.note.raw()))
    with pytest.raises(BadSignature):
        read_answer(200, good, signed(TREE, 9), [witness.vkey])
    with pytest.raises(BadSignature):
        read_answer(200, good, checkpoint, [Witness(key=SigningKey(bytes(31) + b"1")).vkey])
    value = from_base64(good.decode().split(" ")[2].strip())
    later = value[:4] + (witness.time + 1).to_bytes(8, "big") + value[12:]
    with pytest.raises(BadSignature):
        read_answer(
            200, f"\u2014 {witness.vkey.name} {to_base64(later)}\n".encode(), checkpoint, [witness.vkey]
        )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, b""),
        (409, b"20"),
        (409, b"020\n"),
        (409, b"20\n21\n"),
        (200, b""),
        (200, b"hello\n"),
        (200, b"\xff\n"),
    ],
)
def test_answers_of_another_form_are_refused(status: int, body: bytes) -> None:
    with pytest.raises(Malformed):
        read_answer(status, body, signed(TREE, 8), [Witness().vkey])
