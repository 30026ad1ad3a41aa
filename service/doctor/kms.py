"""The KMS: each epoch's key and its state, a round trip bound to a context, and a stored key that opens."""

from collections.abc import AsyncIterator
from os import urandom
from typing import Any
from uuid import uuid4

from mandant.service.doctor.key_file import key_file_of
from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.doctor.patient import Patient
from mandant.service.opening import key_provider
from mandant.tenants.people.system import SYSTEM_SCOPE
from mandant.vault.control import ControlDatabase
from mandant.vault.errors import ScopeMissing, VaultError
from mandant.vault.keys import load_scope
from mandant.vault.kms.errors import KmsError
from mandant.vault.kms.provider import KeyProvider, KmsKeyState
from mandant.vault.scope_key import encryption_context, unwrap_scope_key
from mandant.vault.stored import ScopeKind

PART = "KMS"
_POLICY = (
    "may the application's role Encrypt and Decrypt with this key? infra/README.md, Who may use the keys"
)


async def check_kms(patient: Patient) -> AsyncIterator[Line]:
    """Costs a handful of KMS calls."""
    epochs = await patient.connection("control").fetch(
        "SELECT epoch, provider, key_ref, state FROM control.epoch ORDER BY epoch"
    )
    if not any(one["state"] == "current" for one in epochs):
        yield warning(PART, "epoch", "there is none yet", "start the service once: it makes the first one")
        return
    if patient.settings.kms == "local" and not key_file_of(patient.settings).exists():
        yield wrong(PART, "keys", "cannot be asked: the key file is missing", "see the key file above")
        return
    control = await ControlDatabase.open(patient.url("control", "mandant_app"), size=1, pooled=True)
    try:
        provider = await key_provider(patient.settings, control, patient.clock)
        try:
            async for line in _about(provider, epochs):
                yield line
            yield await _stored_key(provider, control)
        finally:
            await provider.close()
    finally:
        await control.close()


async def _about(provider: KeyProvider, epochs: list[Any]) -> AsyncIterator[Line]:
    for one in epochs:
        name = f"epoch {one['epoch']}"
        if one["provider"] != provider.name:
            said = f"its key is {one['provider']}'s, the setting says {provider.name}"
            yield wrong(PART, name, said, f"set MANDANT_KMS={one['provider']}")
            continue
        try:
            state = await provider.describe_key(one["key_ref"])
        except KmsError as error:
            yield wrong(PART, name, f"the KMS does not tell its key's state ({error.reason})", _POLICY)
            continue
        if one["state"] == "current" and state is not KmsKeyState.ENABLED:
            todo = "enable the key: nothing of any tenant opens without it"
            yield wrong(PART, name, f"its key is {state.value}", todo)
        else:
            yield ok(PART, name, f"{one['state']}, its key is {state.value}")
        if one["state"] == "current" and state is KmsKeyState.ENABLED:
            yield await _round_trip(provider, one["key_ref"])


async def _round_trip(provider: KeyProvider, key_ref: str) -> Line:
    """Wrap 32 bytes and unwrap them; unwrapping for another scope must be refused."""
    name, probe = "round trip", urandom(32)
    context = encryption_context(SYSTEM_SCOPE, ScopeKind.SYSTEM, 1)
    try:
        wrapped = (await provider.encrypt(key_ref, probe, context)).value
        same = (await provider.decrypt(key_ref, wrapped, context)).value == probe
    except KmsError as error:
        return wrong(PART, name, f"refused ({error.reason})", _POLICY)
    if not same:
        return wrong(PART, name, "other bytes came back", "is MANDANT_KMS_ENDPOINT a KMS?")
    try:
        await provider.decrypt(key_ref, wrapped, encryption_context(uuid4(), ScopeKind.SYSTEM, 1))
    except KmsError:
        return ok(PART, name, "wraps and unwraps, and refuses another context")
    todo = "is MANDANT_KMS_ENDPOINT a KMS? Keys could be moved from tenant to tenant"
    return wrong(PART, name, "unwraps under another encryption context", todo)


async def _stored_key(provider: KeyProvider, control: ControlDatabase) -> Line:
    name = "stored key"
    try:
        await unwrap_scope_key(provider, await load_scope(control, SYSTEM_SCOPE))
    except ScopeMissing:
        return warning(PART, name, "none yet", "start the service once")
    except VaultError as error:
        todo = "are key file or KMS key and control database of the same installation?"
        return wrong(PART, name, f"the installation's own does not open ({type(error).__name__})", todo)
    return ok(PART, name, "the installation's own opens")
