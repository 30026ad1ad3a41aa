"""A service with a few routes that fail in every way, for the tests of the edge.

granian serves `served`; no database is opened.
"""

import enum
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from litestar import Litestar, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from mandant.service.app import StandAlone, create_app
from mandant.service.edge.body import MandantRequest, read_json
from mandant.service.edge.metrics import Metrics
from mandant.service.edge.negotiation import negotiate
from mandant.service.plugin import MandantConfig
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants import errors as tenants
from mandant.vault import errors as vault

CANARY = "canary-7f3a-must-not-appear"
ERRORS: dict[str, Exception] = {
    "other-tenants": tenants.NotFound("record"),
    "purged": tenants.Gone("tenant"),
    "shredded": vault.KeyShredded(CANARY),
    "stale": tenants.StaleVersion(),
    "read-only": tenants.ReadOnly(),
    "not-unique": tenants.NotUnique("email"),
    "forbidden": tenants.Forbidden("members.add"),
    "kms": vault.KeyUnavailable(17),
    "denied": vault.KeyDenied("disabled"),
    "control": vault.ControlUnavailable(CANARY),
    "older": tenants.DataOlderThanControl(),
    "unopenable": vault.Unopenable(CANARY),
    "bug": RuntimeError(CANARY),
    "refused": ConnectionRefusedError(CANARY),
}


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(msgspec.Struct, forbid_unknown_fields=True):
    street: str
    zip: int = 0

    def __post_init__(self) -> None:
        if self.street.startswith("canary"):
            raise ValueError(f"{self.street} is no street")


class Person(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=200)]
    age: int = 0
    colour: Colour = Colour.RED
    addresses: list[Address] = []


@post("/api/v1/probe/people", tags=["probe"])
async def people(data: JSONBody[Person]) -> Person:
    return data


@post("/api/v1/probe/dynamic", tags=["probe"])
async def dynamic(request: MandantRequest) -> Person:
    return cast("Person", await read_json(request, Person))


@post("/api/v1/probe/anything", tags=["probe"])
async def anything(request: MandantRequest) -> dict[str, bool]:
    await read_json(request, Any)
    return {"read": True}


@post("/api/v1/probe/upload", tags=["probe"], request_max_body_size=8 << 20)
async def upload(request: MandantRequest) -> dict[str, int]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"bytes": size}


@get("/api/v1/probe/things/{thing:uuid}", tags=["probe"])
async def thing(thing: FromPath[UUID], limit: FromQuery[int] = 10) -> dict[str, Any]:
    return {"id": thing, "limit": limit}


@get("/api/v1/probe/fail/{kind:str}", include_in_schema=False)
async def fail(kind: FromPath[str]) -> None:
    secret = CANARY  # a local that no traceback may show
    raise ERRORS[kind] from ValueError(secret)


@get("/api/v1/probe/export", tags=["probe"])
async def export(request: MandantRequest) -> dict[str, str]:
    return {"as": negotiate(request, "application/json", "text/csv")}


PROBES = (people, dynamic, anything, upload, thing, fail, export)


@asynccontextmanager
async def no_services(
    _settings: Settings, _modules: Sequence[Any], metrics: Metrics
) -> AsyncIterator[Runtime]:
    async def fine() -> str:
        return "ok"

    async def broken() -> str:
        raise ConnectionError(CANARY)

    yield cast("Runtime", SimpleNamespace(metrics=metrics, checks={"data": fine, "kms": broken}))


def probe_config(folder: Path, **settings: Any) -> MandantConfig:
    return MandantConfig([], Settings(var=folder, **settings), opener=no_services)


def with_probes(app: Litestar) -> Litestar:
    """Our application with the probes."""
    for probe in PROBES:
        app.register(probe)
    return app


def served() -> StandAlone:
    """What granian is given: the stand-alone app with the probes, and no services behind it."""
    app = create_app(probe_config(Path(os.environ["MANDANT_VAR"]), body_limit=1 << 20))
    with_probes(app.ours)
    return app
