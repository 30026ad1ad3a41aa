"""What a host installs: one import name, beside whatever folders the host has."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ("vault", "tenants", "integrations", "service")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the tree as it is, without a download."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def host(wheel: Path) -> Iterator[Path]:
    """A host's project with an environment into which the wheel, and nothing of this tree, is installed.

    The dependencies are this environment's: what is under test is the wheel. Outside pytest's own
    folder, which root's PostgreSQL could not reach.
    """
    folder = Path(tempfile.mkdtemp(prefix="mandant-host-"))
    folder.chmod(0o755)
    shutil.copytree(Path(__file__).with_name("host"), folder, dirs_exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    python = str(folder / ".venv" / "bin" / "python")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [python, "-c", where], check=True, capture_output=True, text=True
    ).stdout.strip()
    # A folder named in a .pth file: the .pth files inside it, this tree's own among them, are not read.
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    yield folder
    shutil.rmtree(folder)


def environment(folder: Path) -> dict[str, str]:
    """This one without its settings and paths."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MANDANT", "PYTHON"))}
    return kept | {"MANDANT_VAR": str(folder / "var")}


def run(host: Path, *command: str) -> str:
    """What the command prints in the host's folder and environment."""
    done = subprocess.run(
        [host / ".venv" / "bin" / command[0], *command[1:]],
        cwd=host, env=environment(host), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_one_import_name_with_every_file_of_the_four_folders(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"mandant"}
    assert not [name for name in names if "__pycache__" in name]
    tracked = subprocess.run(
        ["git", "ls-files", *LAYERS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert {f"mandant/{name}" for name in tracked if (ROOT / name).exists()} <= names


def test_a_host_keeps_its_own_folders_named_service_and_tenants(host: Path) -> None:
    words = run(host, "python", "-c", "import service, tenants; print(service.OURS, '|', tenants.OURS)")
    assert words == "the host's service | the host's tenants\n"


def test_what_is_imported_is_the_wheel_and_not_this_tree(host: Path) -> None:
    script = "import mandant.service.postgres as p, mandant.vault as v; print(p.__file__, v.__file__)"
    for path in run(host, "python", "-c", script).split():
        assert Path(path).is_relative_to(host / ".venv")


def test_the_command_is_there_under_both_names(host: Path) -> None:
    assert "mandant, version" in run(host, "mandant", "--version")
    assert "Usage" in run(host, "python", "-m", "litestar", "--app", "app:app", "mandant", "--help")


def test_the_twelve_line_app_serves_its_module(host: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python = str(host / ".venv" / "bin" / "python")
    command = [python, "-m", "granian", "--interface", "asgi", "--port", str(port), "app:app"]
    log = host / "granian.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=host, env=environment(host), stdout=output, stderr=output) as server,
    ):
        try:
            assert ready(f"http://127.0.0.1:{port}", server), log.read_text()
            document = httpx.get(f"http://127.0.0.1:{port}/api/v1/openapi.json")
            assert document.json()["openapi"].startswith("3.")
            stranger = httpx.get(f"http://127.0.0.1:{port}/api/v1/nothing-of-ours")
            assert stranger.status_code == 404
            assert stranger.headers["content-type"] == "application/problem+json"
        finally:
            server.terminate()


def ready(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether /health/ready says yes within two minutes; it asks again and again."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return True
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    return False
