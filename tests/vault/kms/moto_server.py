"""moto's KMS behind a real socket, and boto3 sessions for it.

What it does not do, and tests.vault.kms.fault_proxy does in front of it: refuse a disabled key, or one
that is pending deletion; refuse to decrypt under another KeyId than the one that wrapped; key policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

__all__ = ["REGION", "aws_session", "moto_server"]

REGION = "eu-central-2"


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of a moto server on a free loopback port."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def aws_session(region: str = REGION) -> boto3.Session:
    """Credentials that only moto accepts."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=region)
