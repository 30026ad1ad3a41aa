"""The one refusal of everything that is read: bytes that are not of the form they have to have."""

from __future__ import annotations

__all__ = ["Malformed"]


class Malformed(ValueError):
    """The message says what is wrong with the form; it never quotes the bytes."""
