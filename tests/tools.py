"""Programs that some tests need and that pip does not bring."""

import shutil

import pytest

__all__ = ["MISSING", "needs"]

MISSING = "missing tool"


def needs(program: str, *others: str) -> str:
    """The path of the first of the programs that is installed; the test is skipped where none is.

    Under CI such a skip fails the run: `.ci/run` installs them.
    """
    for name in (program, *others):
        if path := shutil.which(name):
            return path
    pytest.skip(f"{MISSING}: {program}")
