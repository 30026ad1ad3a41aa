"""The local provider's key file: there, its owner's alone, whole, and not an older copy."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.doctor.patient import Patient
from mandant.service.settings import Settings
from mandant.vault.errors import KeyFileMissing, VaultError
from mandant.vault.kms.key_file import read

PART = "key file"


def key_file_of(settings: Settings) -> Path:
    """Where the local provider's keys are."""
    return settings.key_file or settings.var / "keys" / "local.json"


async def check_key_file(patient: Patient) -> AsyncIterator[Line]:
    """Nothing to see where AWS keeps the keys."""
    if patient.settings.kms != "local":
        yield ok(PART, "file", "not used: AWS KMS has the keys")
        return
    control = patient.connection("control")
    known: int = await control.fetchval("SELECT coalesce(max(counter), 0) FROM control.key_file")
    wrapped: bool = await control.fetchval("SELECT EXISTS (SELECT FROM control.scope_key)")
    path = key_file_of(patient.settings)
    try:
        content, _ = await asyncio.to_thread(read, path)
    except KeyFileMissing as error:
        if wrapped:
            yield wrong(PART, str(path), "is missing, and keys exist that only it unwraps", str(error))
        else:
            yield ok(PART, str(path), "not there yet: the first start makes it")
        return
    except (VaultError, OSError) as error:
        yield wrong(PART, str(path), type(error).__name__, str(error))
        return
    yield ok(PART, str(path), f"mode 0600, keys: {len(content.keys)}")
    if content.counter < known:
        said = f"an older copy: change {content.counter}, control knows {known}"
        todo = "put the newest copy back: an older one may bring back keys that were forgotten"
        yield wrong(PART, "counter", said, todo)
    else:
        yield ok(PART, "counter", f"change {content.counter}, as control knows")
    if not patient.settings.embedded:
        todo = "set MANDANT_KMS=aws: whoever has this file and the control database reads everything"
        yield warning(PART, "place", "keys lie on the machine that serves", todo)
