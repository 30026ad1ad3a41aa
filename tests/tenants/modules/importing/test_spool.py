"""The spool: reads and seeks like the file it was given, and holds none of it readable on the disk."""

import io
import random

import pytest

from mandant.tenants.modules.importing.spool import PIECE, Spool
from mandant.vault.errors import Unopenable


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5])
def test_it_reads_and_seeks_like_the_file_it_was_given(size: int) -> None:
    chance = random.Random(size)
    content = chance.randbytes(size)
    spool, plain = Spool(), io.BytesIO(content)
    for start in range(0, size, 50_001):
        spool.add(content[start : start + 50_001])
    file = spool.finish()
    assert file.read() == content
    for _ in range(200):
        where, length = chance.randrange(size + 10), chance.randrange(2 * PIECE)
        whence = chance.choice([io.SEEK_SET, io.SEEK_END])
        offset = where if whence == io.SEEK_SET else -min(where, size)
        assert file.seek(offset, whence) == plain.seek(offset, whence)
        assert file.read(length) == plain.read(length)
    spool.close()


def test_the_disk_holds_ciphertext_that_opens_in_its_place_only() -> None:
    spool = Spool()
    spool.add(b"Canary" * PIECE)
    file = spool.finish()
    spool._file.seek(0)
    raw = spool._file.read()
    assert b"Canary" not in raw
    sealed = spool._sealed_piece
    spool._file.seek(0)
    spool._file.write(raw[sealed : 2 * sealed] + raw[:sealed])
    with pytest.raises(Unopenable):
        file.read(10)
    spool.close()
