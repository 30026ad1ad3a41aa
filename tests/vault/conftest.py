"""moto once for the whole run; a proxy of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vault.kms.fault_proxy import FaultProxy, fault_proxy
from tests.vault.kms.moto_server import moto_server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of a moto server."""
    with moto_server() as address:
        yield address


@pytest.fixture
def proxy(moto: str) -> Iterator[FaultProxy]:
    """A fault proxy in front of moto."""
    with fault_proxy(moto) as made:
        yield made
