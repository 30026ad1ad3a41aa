"""Which port to listen on."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import rich_click as click

__all__ = ["FIRST_PORT", "claimed_port"]

FIRST_PORT = 8350


@contextmanager
def claimed_port(host: str, wanted: int | None) -> Iterator[int]:
    """`wanted`, or 8350, or the next one that nobody listens on, for as long as the block lasts.

    Two that start at the same moment get two ports: the web process listens only later, and until then the
    other's would be asked whether this one is ready.
    Raises: ClickException.
    """
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + 100):
        with _claim(port) as claimed:
            problem = _problem(host, port) if claimed else _words(errno.EADDRINUSE)
            if problem is None:
                yield port
                return
        if wanted is not None:
            raise click.ClickException(
                f"cannot listen on {host}, port {wanted}: {problem}. Set MANDANT_PORT to another one, "
                "or leave it away: then the first free one from 8350 is taken"
            )
        if problem != _words(errno.EADDRINUSE):
            raise click.ClickException(f"cannot listen on {host}: {problem}. Set MANDANT_HOST")
    raise click.ClickException(f"no port from {FIRST_PORT} to {FIRST_PORT + 99} is free; set MANDANT_PORT")


@contextmanager
def _claim(port: int) -> Iterator[bool]:
    """Whether no other mandant of this machine has the port; the kernel ends a claim with its process."""
    if sys.platform != "linux":  # abstract sockets are Linux's own
        yield True
        return
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0mandant-port-{port}")
        except OSError:
            yield False
        else:
            yield True


def _problem(host: str, port: int) -> str | None:
    """Why nobody can listen there, or None."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except socket.gaierror:
            return "no such address"
        except OSError as error:
            return _words(error.errno or 0)
    return None


def _words(number: int) -> str:
    return os.strerror(number).lower()
