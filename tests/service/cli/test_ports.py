"""Which port a service listens on."""

import socket

import pytest
import rich_click as click

from mandant.service.cli.ports import claimed_port

HOST = "127.0.0.1"


def refused(port: int) -> bool:
    with pytest.raises(click.ClickException, match="already in use"), claimed_port(HOST, port):
        pass
    return True


def test_two_that_start_at_the_same_moment_get_two_ports() -> None:
    with claimed_port(HOST, None) as one, claimed_port(HOST, None) as other:
        assert one != other


def test_a_port_that_is_claimed_or_taken_is_refused_and_free_again_after() -> None:
    with claimed_port(HOST, None) as port:
        assert refused(port)
    with claimed_port(HOST, port) as again:
        assert again == port
    with socket.create_server((HOST, 0)) as server:
        assert refused(server.getsockname()[1])


def test_what_fails_inside_passes() -> None:
    with pytest.raises(KeyError), claimed_port(HOST, None):
        raise KeyError
