"""What the user or the machine got wrong, said in one sentence instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rich_click as click

from mandant.tenants.errors import TenantsError
from mandant.vault.errors import VaultError
from mandant.vault.kms.errors import KmsError

__all__ = ["told_plainly"]


@contextmanager
def told_plainly(var: Path) -> Iterator[None]:
    """Around a whole command. Raises: ClickException for what a person can mend; the rest as it is."""
    try:
        yield
    except (VaultError, KmsError, TenantsError) as error:
        raise click.ClickException(str(error)) from None
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise click.ClickException(
            f"{error.filename or var}: {error.strerror}. mandant keeps what it needs under {var}; "
            "make that writable, or name another folder with MANDANT_VAR"
        ) from None
    except (TimeoutError, OSError) as error:
        raise click.ClickException(str(error)) from None
