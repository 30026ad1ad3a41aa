"""One ciphertext that XChaCha20-Poly1305 opens under two keys: the attack that the commitment stops.

Poly1305 is a polynomial over the ciphertext, so equal tags under two keys are two linear equations;
two free blocks of ciphertext solve them. Source: Len, Grubbs, Ristenpart, "Partitioning Oracle
Attacks", USENIX Security 2021.
"""

from __future__ import annotations

from tests.vault.stranger import chacha20_block, hchacha20

P = (1 << 130) - 5
R_MASK = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def two_key_ciphertext(first: bytes, second: bytes, nonce: bytes) -> bytes:
    """Ciphertext (48 bytes) and tag (16) that open under both keys (32 bytes each) and the nonce (24)."""
    (r1, s1), (r2, s2) = _one_time_key(first, nonce), _one_time_key(second, nonce)
    lengths = (48 << 64) + (1 << 128)  # the last block: no associated data, 48 bytes of ciphertext
    for filler in range(1 << 16):
        tag = (filler * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128)
        fixed = filler + (1 << 128)
        # a * r^4 + b * r^3 + fixed * r^2 + lengths * r = tag - s, for both keys
        t1 = ((tag - s1) % (1 << 128) - fixed * r1**2 - lengths * r1) % P
        t2 = ((tag - s2) % (1 << 128) - fixed * r2**2 - lengths * r2) % P
        determinant = (pow(r1, 4, P) * pow(r2, 3, P) - pow(r2, 4, P) * pow(r1, 3, P)) % P
        inverse = pow(determinant, -1, P)
        a = (t1 * pow(r2, 3, P) - t2 * pow(r1, 3, P)) * inverse % P
        b = (pow(r1, 4, P) * t2 - pow(r2, 4, P) * t1) * inverse % P
        if a >> 128 == 1 and b >> 128 == 1:  # both are blocks of 16 bytes, which Poly1305 ends with a 1
            blocks = (a - (1 << 128), b - (1 << 128), filler, tag)
            return b"".join(block.to_bytes(16, "little") for block in blocks)
    raise AssertionError("no solution found")


def _one_time_key(key: bytes, nonce: bytes) -> tuple[int, int]:
    """Poly1305's r and s for a key and nonce: the first half of the key stream's block 0."""
    block = chacha20_block(hchacha20(key, nonce[:16]), 0, bytes(4) + nonce[16:])
    r = int.from_bytes(block[:16], "little") & R_MASK
    return r, int.from_bytes(block[16:32], "little")
