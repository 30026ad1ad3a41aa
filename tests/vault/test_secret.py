"""Keys and secrets do not print, whoever asks."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
from dataclasses import asdict, dataclass
from uuid import UUID

import msgspec
import pytest
import structlog

from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place, Sealer
from mandant.vault.index import FieldIndex
from mandant.vault.secret import Secret
from mandant.vault.stream import FileOpener, FileSealer

MATERIAL = b"CANARY-key-material-CANARY-12345"
KEY = DataKey(UUID(int=1), Category.MODULE, 1, MATERIAL)
PLACE = Place("customers", "record")

HOLDERS = [
    Secret(MATERIAL),
    KEY,
    Sealer(KEY, PLACE),
    FileSealer(KEY, PLACE, UUID(int=2), 1),
    FileOpener(KEY, PLACE, UUID(int=2), 1),
    FieldIndex(MATERIAL, "customers", "email", "exact"),
]
every_holder = pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)


def shows(text: str) -> bool:
    return "CANARY" in text or MATERIAL.hex() in text


@every_holder
def test_it_does_not_print(holder: object) -> None:
    for text in (
        repr(holder),
        str(holder),
        f"{holder}",
        f"{holder!r}",
        f"{[holder]}",
        "%s" % holder,  # noqa: UP031 - old code logs like this
        "{}".format(holder),  # noqa: UP032
    ):
        assert not shows(text)


@every_holder
def test_json_and_msgspec_refuse_it(holder: object) -> None:
    with pytest.raises(TypeError):
        json.dumps({"key": holder})
    for encode in (msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError):
            encode({"key": holder})


@every_holder
def test_it_is_neither_pickled_nor_copied(holder: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(holder, protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(holder)
    with pytest.raises(TypeError):
        copy.copy(holder)


@every_holder
def test_structlog_does_not_print_it(holder: object) -> None:
    for renderer in (
        structlog.processors.JSONRenderer(),
        structlog.processors.KeyValueRenderer(),
        structlog.dev.ConsoleRenderer(colors=False),
    ):
        out = io.StringIO()
        log = structlog.wrap_logger(structlog.PrintLogger(out), processors=[renderer])
        log.info("event", key=holder, nested={"keys": [holder]})
        assert "event" in out.getvalue()
        assert not shows(out.getvalue())


@every_holder
def test_logging_does_not_print_it(holder: object, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("key %s %r", holder, holder)
    assert not shows(caplog.text)


@every_holder
def test_it_has_no_attributes_to_walk(holder: object) -> None:
    with pytest.raises(TypeError):
        vars(holder)


@pytest.mark.parametrize("holder", HOLDERS[:2], ids=lambda holder: type(holder).__name__)
def test_a_dataclass_that_holds_it_does_not_print_it(holder: object) -> None:
    @dataclass
    class Open:
        key: object

    assert not shows(repr(Open(holder)))
    with pytest.raises(TypeError):
        asdict(Open(holder))


def test_only_reveal_gives_the_bytes() -> None:
    assert Secret(MATERIAL).reveal() == MATERIAL


def test_a_key_does_not_change() -> None:
    with pytest.raises(AttributeError):
        KEY.generation = 2
    assert (KEY.key, KEY.generation) == (MATERIAL, 1)
