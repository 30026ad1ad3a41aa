"""Which port to listen on."""

import errno
import os
import socket

import rich_click as click

__all__ = ["FIRST_PORT", "choose_port"]

FIRST_PORT = 8350


def choose_port(host: str, wanted: int | None) -> int:
    """`wanted`, or 8350, or the next one that nobody listens on. Raises: ClickException."""
    if wanted is not None:
        if problem := _problem(host, wanted):
            raise click.ClickException(
                f"cannot listen on {host}, port {wanted}: {problem}. Set MANDANT_PORT to another one, "
                "or leave it away: then the first free one from 8350 is taken"
            )
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        problem = _problem(host, port)
        if problem is None:
            return port
        if problem != _words(errno.EADDRINUSE):
            raise click.ClickException(f"cannot listen on {host}: {problem}. Set MANDANT_HOST")
    raise click.ClickException(f"no port from {FIRST_PORT} to {FIRST_PORT + 99} is free; set MANDANT_PORT")


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
