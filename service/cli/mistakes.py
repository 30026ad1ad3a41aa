"""What the user or the machine got wrong, said in one sentence instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rich_click as click

from mandant.service.cli.installation import told

__all__ = ["told_plainly"]


@contextmanager
def told_plainly(var: Path) -> Iterator[None]:
    """Around a whole command that keeps things under `var`. Raises: ClickException; the rest as it is."""
    with told():
        try:
            yield
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            raise click.ClickException(
                f"{error.filename or var}: {error.strerror}. mandant keeps what it needs under {var}; "
                "make that writable, or name another folder with MANDANT_VAR"
            ) from None
