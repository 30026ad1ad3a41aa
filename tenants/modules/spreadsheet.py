"""Keeps a spreadsheet from calculating what a customer typed.

A cell that begins with = + - @, or with such a one behind apostrophes, gets one more apostrophe; the
import takes one away. So `=HYPERLINK(...)` stays text, and comes back as it was.
Source: OWASP, CSV injection.
"""

from __future__ import annotations

_CALCULATES = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """What stands in the file for `text`."""
    return "'" + text if text.lstrip("'").startswith(_CALCULATES) else text


def unguarded(cell: str) -> str:
    """The text for what stands in the file, for our cells and for what people typed into spreadsheets."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_CALCULATES) else cell
