"""Rotate and re-wrap against each other and against a KMS that says no: keys are never lost."""

import asyncio

import pytest

from mandant.tenants.replay import replay
from mandant.tenants.session import Tenant
from mandant.vault.category import Category
from mandant.vault.envelope import Place
from mandant.vault.errors import ScopeChanged
from mandant.vault.keys import load_scope
from mandant.vault.kms.errors import KmsGone
from mandant.vault.rotation import rewrap, rotate
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.stack import Stack

PLACE = Place("people", "record")


@pytest.fixture
async def tenant(stack: Stack) -> Tenant:
    return await stack.tenant()


async def test_after_a_re_wrap_everything_opens_and_the_old_scope_key_is_gone(
    stack: Stack, tenant: Tenant
) -> None:
    scope = scope_id(tenant.tenant_id, ScopeKind.TENANT)
    before = await load_scope(stack.control, scope)
    sealed = (await stack.keyring.open(scope)).seal_key(Category.MODULE).sealer(PLACE).seal(scope, 1, b"x")
    own_key = await stack.provider.create_key({"owner": str(tenant.tenant_id)}, "a tenant's own")
    await rewrap(stack.worker_control, stack.provider, scope, stack.clock.now(), byok_key_ref=own_key)
    await replay(stack.control, stack.worker_data, tenant.tenant_id, stack.clock.now())
    stack.keyring.evict(scope)
    keys = await stack.keyring.open(scope)
    assert keys.open_key(Category.MODULE, 1).sealer(PLACE).open(scope, 1, sealed) == b"x"
    after = await load_scope(stack.control, scope)
    assert (after.generation, after.byok_key_ref) == (2, own_key)
    assert before.wrapped != after.wrapped
    assert not {k.wrapped for k in before.category_keys} & {k.wrapped for k in after.category_keys}


async def test_a_key_that_the_tenants_kms_does_not_give_changes_nothing(stack: Stack, tenant: Tenant) -> None:
    scope = scope_id(tenant.tenant_id, ScopeKind.TENANT)
    before = await load_scope(stack.control, scope)
    with pytest.raises(KmsGone):
        await rewrap(
            stack.worker_control, stack.provider, scope, stack.clock.now(), byok_key_ref="local:missing"
        )
    assert await load_scope(stack.control, scope) == before


async def test_rotations_and_re_wraps_at_once_leave_keys_that_all_open(stack: Stack, tenant: Tenant) -> None:
    scope = scope_id(tenant.tenant_id, ScopeKind.TENANT)
    now = stack.clock.now()
    outcomes = await asyncio.gather(
        *(
            change
            for _ in range(4)
            for change in (
                rotate(stack.worker_control, stack.provider, scope, Category.MODULE, Purpose.SEAL, now),
                rewrap(stack.worker_control, stack.provider, scope, now, byok_key_ref=None),
            )
        ),
        return_exceptions=True,
    )
    done = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(done) == len(set(done)) >= 1
    assert all(isinstance(outcome, int | ScopeChanged) for outcome in outcomes)
    stack.keyring.evict(scope)
    await stack.keyring.open(scope)  # unwraps every category key, or raises Unopenable
