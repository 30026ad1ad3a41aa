"""Tasks: one a name, with a bounded number of attempts and a growing, bounded wait."""

import pytest

from mandant.service.jobs import JobContext, Registry, tenant_job
from mandant.service.jobs.errors import UnknownTask


async def _nothing(context: JobContext) -> None: ...


def test_waits_grow_fourfold_and_end_at_an_hour(registry: Registry) -> None:
    tenant_job("note", wait=10, registry=registry)(_nothing)
    task = registry.get("note")
    assert [task.wait_after(n) for n in (1, 2, 3, 4, 5, 6, 10**9)] == [10, 40, 160, 640, 2560, 3600, 3600]


def test_a_name_is_declared_once(registry: Registry) -> None:
    tenant_job("note", registry=registry)(_nothing)
    with pytest.raises(ValueError, match="note"):
        tenant_job("note", registry=registry)(_nothing)


def test_an_undeclared_name_is_said_to_be_so(registry: Registry) -> None:
    with pytest.raises(UnknownTask, match="note"):
        registry.get("note")
