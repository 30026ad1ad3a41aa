"""Checkpoints and proofs, verified by a program in Go that shares no code with ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mandant.vault.ledger import consistency_proof, prove, verifier_keys
from mandant.vault.ledger.base64_text import to_base64
from mandant.vault.ledger.tlog_proof import parse_proof
from mandant.vault.ledger.witness import add_checkpoint_body
from tests.stack import Stack
from tests.tools import MISSING, needs
from tests.vault.ledger.world import OwnLog

# Debian's package golang-golang-x-mod-dev; no module is downloaded.
LIBRARY = Path("/usr/share/gocode")

Verify = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """`go(key, check, *files)`: the program's exit code and what it says."""
    compiler = needs("go")
    if not (LIBRARY / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip(f"{MISSING}: golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "verify"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(LIBRARY),
        "GOFLAGS": "",
        "GOCACHE": str(folder / "cache"),
        "CGO_ENABLED": "0",
    }
    source = Path(__file__).parent / "go/main.go"
    subprocess.run([compiler, "build", "-o", str(program), str(source)], env=environment, check=True)

    def run(key: str, check: str, *files: bytes) -> tuple[int, str]:
        paths = []
        for number, content in enumerate(files):
            paths.append(folder / f"file{number}")
            paths[-1].write_bytes(content)
        done = subprocess.run(
            [program, key, check, *paths], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    return run


@pytest.fixture(scope="module")
async def log(stack: Stack) -> OwnLog:
    log = await OwnLog.open(stack)
    await log.look()
    await log.days(3)
    return log


async def key_of(log: OwnLog) -> str:
    return str((await verifier_keys(log.stack.control, log.owner))[0])


def flip(raw: bytes, place: int) -> bytes:
    """One bit of one character changed, so that it stays base64."""
    return raw[:place] + (b"A" if raw[place : place + 1] != b"A" else b"B") + raw[place + 1 :]


async def test_go_accepts_our_checkpoints_and_refuses_changed_ones(go: Verify, log: OwnLog) -> None:
    key, checkpoint = await key_of(log), await log.sign()
    raw = checkpoint.note.raw()
    assert go(key, "checkpoint", raw) == (0, str(checkpoint.size))
    size = raw.index(b"\n") + 1
    for broken in (
        flip(raw, 20),
        raw[:size] + b"9" + raw[size:],
        flip(raw, size + 8),
        flip(raw, len(raw) - 30),
    ):
        assert go(key, "checkpoint", broken)[0] == 1
    other = await OwnLog.open(log.stack)
    assert go(await key_of(other), "checkpoint", raw)[0] == 1


async def test_go_accepts_our_inclusion_proofs_and_refuses_changed_ones(go: Verify, log: OwnLog) -> None:
    key, checkpoint = await key_of(log), await log.sign()
    async with log.stack.control.transaction() as connection:
        proofs = [await prove(connection, log.owner, index, checkpoint) for index in range(checkpoint.size)]
    for proof in proofs:
        assert go(key, "proof", proof.text()) == (0, str(checkpoint.size))
    text = proofs[5].text()
    extra, hashes = text.index(b"extra ") + 10, text.index(b"index 5\n") + 12
    moved = text.replace(b"index 5\n", b"index 4\n")
    for broken in (flip(text, extra), flip(text, hashes), moved, text.replace(b"index 5\n", b"index 500\n")):
        assert parse_proof(broken)
        assert go(key, "proof", broken)[0] == 1


async def test_go_accepts_our_consistency_proofs_and_refuses_changed_ones(go: Verify, log: OwnLog) -> None:
    key = await key_of(log)
    checkpoints = []
    for _ in range(4):
        await log.days(1)
        checkpoints.append(await log.sign())
    new = checkpoints[-1]
    for old in checkpoints:
        async with log.stack.control.transaction() as connection:
            proof = await consistency_proof(connection, log.owner, old.size, new.size)
        lines = "".join(f"{to_base64(one)}\n" for one in proof).encode()
        assert go(key, "consistency", old.note.raw(), new.note.raw(), lines) == (0, str(new.size))
        if proof:
            assert go(key, "consistency", old.note.raw(), new.note.raw(), flip(lines, 7))[0] == 1
            assert go(key, "consistency", old.note.raw(), new.note.raw(), lines[45:])[0] == 1
            assert go(key, "consistency", new.note.raw(), old.note.raw(), lines)[0] == 1
            body = add_checkpoint_body(old.size, proof, new.note.raw())
            assert go(key, "witness", body) == (0, str(new.size))
