"""Base64 that has one spelling only: RFC 4648 section 4, padded, without stray bits or characters."""

from __future__ import annotations

from base64 import b64decode, b64encode

from mandant.vault.ledger.malformed import Malformed

__all__ = ["from_base64", "to_base64"]


def to_base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def from_base64(text: str, size: int | None = None) -> bytes:
    """The bytes; exactly `size` of them where it is given. Raises: Malformed."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise Malformed("not base64") from None
    if to_base64(raw) != text:
        raise Malformed("base64 with stray bits")
    if size is not None and len(raw) != size:
        raise Malformed(f"{len(raw)} bytes where there have to be {size}")
    return raw
