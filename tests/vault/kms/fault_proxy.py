"""A small HTTP proxy in front of moto's KMS: counts calls, breaks them on demand, and refuses as AWS does.

    with fault_proxy(moto_address) as proxy:
        proxy.fault = throttle       # every KMS call from now on, until it is set back to None
        proxy.calls                  # Counter({"Decrypt": 3})

A fault is a function of (action, body) that returns what to do: None lets the call through.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlsplit

__all__ = ["CUT", "HANG", "AwsError", "Fault", "FaultProxy", "fault_proxy"]

HANG = "hang"  # say nothing until the proxy ends
CUT = "cut"  # close the connection without an answer


@dataclass(frozen=True)
class AwsError:
    """An error in AWS's wire format. Source: AWS JSON 1.1 protocol."""

    code: str
    message: str = ""
    status: int = 400

    def body(self) -> bytes:
        return json.dumps({"__type": self.code, "message": self.message}).encode()


Fault = Callable[[str, dict[str, Any]], AwsError | str | None]


class FaultProxy:
    """What the tests hold: the address, the counts, the fault."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.fault: Fault | None = None
        self.calls: Counter[str] = Counter()
        self.released = Event()
        self._lock = Lock()
        self.address = ""

    def count(self, action: str) -> None:
        with self._lock:
            self.calls[action] += 1

    def always(self, outcome: AwsError | str | None) -> None:
        """Every call ends in `outcome`; None lets them through again."""
        self.fault = None if outcome is None else lambda _action, _body: outcome


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy on a free loopback port, for the address of a moto server."""
    proxy = FaultProxy(upstream)

    class Handler(_Handler):
        state = proxy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    proxy.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: FaultProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.state.count(action)
        parameters = json.loads(body)
        outcome = self.state.fault(action, parameters) if self.state.fault else None
        if outcome is None:
            outcome = self._as_aws(action, parameters)
        if outcome == HANG:
            self.state.released.wait()
        elif isinstance(outcome, AwsError):
            self._answer(outcome.status, outcome.body())
        elif outcome is None:
            self._answer(*self._forward(self.headers["X-Amz-Target"], body))

    def _as_aws(self, action: str, parameters: dict[str, Any]) -> AwsError | None:
        """The refusals of AWS that moto leaves out."""
        if action not in ("Encrypt", "Decrypt"):
            return None
        key_id = parameters["KeyId"]
        status, text = self._forward("TrentService.DescribeKey", json.dumps({"KeyId": key_id}).encode())
        if status != 200:
            return None
        state = json.loads(text)["KeyMetadata"]["KeyState"]
        if state == "Disabled":
            return AwsError("DisabledException", f"{key_id} is disabled.")
        if state == "PendingDeletion":
            return AwsError("KMSInvalidStateException", f"{key_id} is pending deletion.")
        wrapped = b64decode(parameters.get("CiphertextBlob", ""))
        if wrapped and wrapped[:36].decode(errors="replace") != key_id.rpartition("/")[2]:
            return AwsError("IncorrectKeyException", "The key ID in the request does not match.")
        return None

    def _forward(self, target: str, body: bytes) -> tuple[int, bytes]:
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        headers["Authorization"] = self.headers["Authorization"]
        headers["Host"] = self.headers["Host"]
        connection = HTTPConnection(self.state.upstream)
        try:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("x-amzn-RequestId", f"request-{sum(self.state.calls.values())}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Nothing: the tests' output is the tests'."""
