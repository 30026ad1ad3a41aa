"""`mandant demo` as somebody types it: the first time, again, stopped, killed, and with something in the way."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mandant.service.demo.companies import COMPANIES
from tests.tools import needs

READY = "stop: Ctrl-C"
WITHIN = 120.0  # seconds, on a busy machine


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """An empty folder that the server's user can reach, also when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="mandant-demo-"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(folder)


def environment(var: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MANDANT")}
    return kept | {"MANDANT_VAR": str(var), "COLUMNS": "1000"}


class Demo:
    """A running `mandant demo` and what it has printed so far."""

    def __init__(self, var: Path, *options: str) -> None:
        handle, name = tempfile.mkstemp(prefix="mandant-demo-")
        self._printed = Path(name)
        command = [sys.executable, "-m", "mandant", "demo", *options]
        try:
            self.process = subprocess.Popen(command, env=environment(var), stdout=handle, stderr=handle)
        finally:
            os.close(handle)
        self._last = ""

    @property
    def said(self) -> str:
        return self._last or self._printed.read_text()

    def until_ready(self) -> str:
        deadline = time.monotonic() + WITHIN
        while READY not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self.said

    def ended(self) -> int:
        code = self.process.wait(WITHIN)
        self._last = self.said
        self._printed.unlink()
        return code

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.ended()


def alive(var: Path) -> list[str]:
    """Command lines of processes that know the folder: parent, web, worker, PostgreSQL, its watchdog."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue  # gone, or somebody else's
        if str(var).encode() in known and int(process.name) != os.getpid():
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def gone(var: Path) -> bool:
    deadline = time.monotonic() + WITHIN
    while alive(var):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def pasted(said: str) -> list[str]:
    """The command lines that begin with curl, as the shell would join them."""
    return [
        line.strip() for line in said.replace("\\\n", " ").splitlines() if line.strip().startswith("curl")
    ]


def test_the_first_run_makes_both_companies_and_a_second_one_finds_them(var: Path) -> None:
    first = Demo(var)
    said = first.until_ready()
    try:
        for company in COMPANIES:
            assert f"{company.name}: registered" in said
            count = re.search(rf"{company.name}: (\d+) customers", said)
            assert count is not None
            assert int(count[1]) > 100
        address = re.search(r"mandant serves on (\S+)", said)
        assert address is not None
        page = httpx.get(f"{address[1]}/api/v1/docs")
        assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
        for email, password in re.findall(r"(?:owner|member) +(\S+@\S+) +(\S+)", said):
            answer = httpx.post(
                f"{address[1]}/api/v1/sign-in", json={"email": email, "password": password}, timeout=30
            )
            assert answer.status_code == 200, (email, answer.text)
        mode = (var / "demo" / "sign-ins.json").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    finally:
        assert first.stop() == 0
    assert gone(var), alive(var)
    again = Demo(var)
    said = again.until_ready()
    assert "nothing was made anew" in said
    again.process.kill()
    again.ended()
    assert gone(var), alive(var)


def test_the_printed_requests_work_when_they_are_pasted(var: Path) -> None:
    needs("curl")
    demo = Demo(var)
    try:
        lines = pasted(demo.until_ready())
        answers = [
            subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout
            for line in lines
        ]
    finally:
        demo.stop()
    assert len(answers) == 2
    assert '"last_name"' in answers[0]
    assert '"token"' in answers[1]


def test_without_its_sign_ins_the_demo_says_what_to_do(var: Path) -> None:
    (var / "demo" / "sign-ins.json").unlink()
    demo = Demo(var)
    assert demo.ended() == 1
    assert "with a password that the demo does not know" in demo.said
    assert "Traceback" not in demo.said
    assert gone(var)


def test_a_port_that_is_taken_is_told_in_a_sentence(var: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        demo = Demo(var, "--port", str(port))
        assert demo.ended() == 1
    assert f"port {port}: address already in use" in demo.said
    assert "Traceback" not in demo.said


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    demo = Demo(tmp_path / "file" / "var")
    assert demo.ended() == 1
    assert "name another folder with MANDANT_VAR" in demo.said
    assert "Traceback" not in demo.said
