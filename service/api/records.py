"""A module's records over HTTP: /api/v1/tenants/{tenant_id}/modules/{module}/records...

One router a module, so that the document shows each module's own fields. What is searched for and
filtered by is sealed data too: it travels in bodies, never in addresses, which end up in logs.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from mandant.service.api.looking import MAX_PAGE, looking
from mandant.service.api.once import once
from mandant.service.api.who import member_of
from mandant.service.edge.body import MandantRequest
from mandant.service.edge.idempotency import HEADER
from mandant.service.edge.own_path import own_path
from mandant.service.runtime import runtime_of
from mandant.tenants.modules import Module, listing, store
from mandant.tenants.modules.store import Stored
from mandant.tenants.people.roles import Action
from mandant.tenants.session import Door, Tenant, open_session

MAX_BULK = 1_000

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="records on a page")]
_READ = QueryParameter(ge=1, le=2**31 - 2, description="the version that was read")
Version = Annotated[int, _READ]
AnyVersion = Annotated[int | None, _READ]


class Count(msgspec.Struct, frozen=True):
    """How many records the module holds."""

    count: int


class Created(msgspec.Struct, frozen=True):
    """The ids of new records, in the order they were sent."""

    ids: list[UUID]


def records_router(module: Module[Any]) -> Router:
    """The handlers of one module."""
    shown, page_of, bulk_of = _types(module)
    search_of, query_of = looking(module)

    def view(stored: Stored[Any]) -> Any:
        return shown(stored.record_id, stored.version, stored.created_at, stored.updated_at, stored.record)

    def page(items: list[Stored[Any]], limit: int, total: int | None = None) -> Any:
        following = items[-1].record_id if len(items) == limit else None
        return page_of([view(stored) for stored in items], following, total)

    @get("/{record_id:uuid}", summary="Read a record")
    async def read(request: MandantRequest, tenant_id: FromPath[UUID], record_id: FromPath[UUID]) -> Any:
        """The record and its version, which an update must name."""
        return view(await store.get(await _door(request, tenant_id, Action.READ), module, record_id))

    @get("/", summary="List records, newest first")
    async def newest(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Any:
        """A page; `next` of the answer is `after` of the following one."""
        door = await _door(request, tenant_id, Action.READ)
        return page(await store.page(door, module, before=after, limit=limit), limit)

    @post("/", summary="Create a record", opt={"parse": module.parse, "idempotent": True})
    async def create(request: MandantRequest, tenant_id: FromPath[UUID], data: Any) -> Response[Any]:
        """With an Idempotency-Key header, sending it twice creates one record."""

        async def work(door: Door) -> tuple[Any, dict[str, str]]:
            made = await store.create(door, module, data, at=runtime_of(request).clock.now())
            return view(made), {"Location": f"{own_path(request)}/{made.record_id}"}

        return await _once(request, tenant_id, work)

    @post("/bulk", summary="Create many records", request_max_body_size=16 << 20, opt={"idempotent": True})
    async def bulk(request: MandantRequest, tenant_id: FromPath[UUID], data: Any) -> Response[Any]:
        """All of them, or none where one is refused; at most 1,000."""

        module.check_many(data.records, "records")

        async def work(door: Door) -> tuple[Any, dict[str, str]]:
            ids = await store.create_many(door, module, data.records, at=runtime_of(request).clock.now())
            return Created(ids), {}

        return await _once(request, tenant_id, work)

    @put("/{record_id:uuid}", summary="Replace a record", opt={"parse": module.parse})
    async def update(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        record_id: FromPath[UUID],
        version: Version,
        data: Any,
    ) -> Any:
        """Refused with 409 where somebody changed the record after `version` was read."""
        door = await _door(request, tenant_id, Action.WRITE)
        at = runtime_of(request).clock.now()
        return view(await store.update(door, module, record_id, version, data, at=at))

    @delete("/{record_id:uuid}", summary="Delete a record")
    async def remove(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        record_id: FromPath[UUID],
        version: AnyVersion = None,
    ) -> None:
        """With `version`, only where nobody changed it since."""
        await store.delete(await _door(request, tenant_id, Action.WRITE), module, record_id, version)

    @post("/search", summary="Search by blind index", status_code=200)
    async def search(request: MandantRequest, tenant_id: FromPath[UUID], data: Any) -> Any:
        """Finds records by searchable fields without opening the others."""
        looks = [module.look(c.field, c.value, beginnings=c.beginnings) for c in data.conditions]
        door = await _door(request, tenant_id, Action.READ)
        return page(await store.search(door, module, looks, before=data.after, limit=data.limit), data.limit)

    @post("/query", summary="Sort and filter by any field", status_code=200)
    async def query(request: MandantRequest, tenant_id: FromPath[UUID], data: Any) -> Any:
        """Opens every record of the module: search first where there are many."""
        filters = [module.condition(t.field, t.operator, t.value) for t in data.filters]
        door = await _door(request, tenant_id, Action.READ)
        found = await listing.listing(
            door,
            module,
            filters=filters,
            sort=data.sort,
            descending=data.descending,
            after=data.after,
            limit=data.limit,
        )
        return page(found.items, data.limit, found.total)

    @get("/count", summary="Count records")
    async def count(request: MandantRequest, tenant_id: FromPath[UUID]) -> Count:
        """All records of the module."""
        return Count(await store.count(await _door(request, tenant_id, Action.READ), module))

    json_body: Any = JSONBody  # types made while running are none that a checker could follow
    for handler, body, answer in (
        (read, None, shown),
        (newest, None, page_of),
        (create, module.record, Response[shown]),  # type: ignore[valid-type]
        (bulk, bulk_of, Response[Created]),
        (update, module.record, shown),
        (search, search_of, page_of),
        (query, query_of, page_of),
    ):
        annotations = handler.fn.__annotations__
        annotations["return"] = answer
        if body is not None:
            annotations["data"] = json_body[body]
    return Router(
        f"/api/v1/tenants/{{tenant_id:uuid}}/modules/{module.name}/records",
        route_handlers=[read, newest, create, bulk, update, remove, search, query, count],
        tags=[module.title],
    )


async def _door(request: MandantRequest, tenant_id: UUID, action: Action) -> Tenant:
    """The tenant's data, if whoever asks may do this. Raises: NotSignedIn, NotFound, Forbidden."""
    await member_of(request, tenant_id, action)
    return runtime_of(request).tenant(tenant_id)


async def _once(request: MandantRequest, tenant_id: UUID, work: Callable[[Door], Any]) -> Response[Any]:
    """Do a creation; with an Idempotency-Key at most once, its answer kept in the same transaction."""
    member = await member_of(request, tenant_id, Action.WRITE)
    runtime = runtime_of(request)
    if HEADER not in request.headers:
        answer, headers = await work(runtime.tenant(tenant_id))
        return Response(answer, status_code=201, headers=headers)
    async with open_session(runtime.data, runtime.keyring, tenant_id, write=True) as session:
        attempt = await once(session, request, member)
        if attempt.replay is not None:
            return attempt.replay
        answer, headers = await work(session)
        return await attempt.keep(201, answer, headers)


def _types(module: Module[Any]) -> tuple[type[Any], type[Any], type[Any]]:
    """What the module's answers and its bulk body look like."""
    name = module.record.__name__
    shown = msgspec.defstruct(
        f"Stored{name}",
        [
            ("id", UUID),
            ("version", int),
            ("created_at", datetime),
            ("updated_at", datetime),
            ("record", module.record),
        ],
        frozen=True,
    )
    page = msgspec.defstruct(
        f"{name}Page",
        [("items", list[shown]), ("next", UUID | None), ("total", int | None, None)],  # type: ignore[valid-type]
        frozen=True,
        omit_defaults=True,
    )
    bulk = msgspec.defstruct(
        f"{name}Bulk",
        [("records", Annotated[list[module.record], msgspec.Meta(min_length=1, max_length=MAX_BULK)])],  # type: ignore[name-defined]
        frozen=True,
        forbid_unknown_fields=True,
    )
    return shown, page, bulk
