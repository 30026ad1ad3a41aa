"""The document's schemas, made by msgspec from the types that also read and write the bodies.

Litestar's generator loses what stands inside lists and beside `| None`; msgspec's says exactly what its
decoder takes. Added here is what our own code refuses on top: NUL, and what a record's limits say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from msgspec import inspect

from mandant.tenants.modules import Module, limits

REF = "#/components/schemas/"
NO_NUL = r"^[^\x00]*$"

Json = dict[str, Any]


def type_bodies(document: Json, app: Litestar, modules: Sequence[Module[Any]]) -> None:
    """Replaces the schemas of all bodies; what nothing refers to any more goes."""
    records = [module.record for module in modules]
    used = list(_bodies(document, app))
    schemas, components = msgspec.json.schema_components(
        [*records, *(wanted for _, wanted, _ in used)], ref_template=REF + "{name}"
    )
    _tell_moments([*records, *(wanted for _, wanted, _ in used)], components)
    of_records, of_bodies = schemas[: len(records)], schemas[len(records) :]
    sent = []
    for (place, _, is_request), schema in zip(used, of_bodies, strict=True):
        place["schema"] = schema
        if is_request:
            sent.append(schema)
    for name in _reachable(sent, components):
        _state(components[name], _no_nul)
    for name in _reachable(of_records, components):
        _state(components[name], _limited)
    for module, schema in zip(modules, of_records, strict=True):
        if module.example is not None:
            made = msgspec.to_builtins(module.example)
            components[schema["$ref"].removeprefix(REF)]["examples"] = [made]
    found = document.setdefault("components", {}).setdefault("schemas", {})
    found.update(components)
    kept = _reachable(list(document["paths"].values()), found)
    document["components"]["schemas"] = {name: found[name] for name in sorted(kept)}


def handlers_of(document: Json, app: Litestar) -> Iterator[tuple[Json, HTTPRouteHandler]]:
    """Each operation of the document with its handler."""
    for route in app.routes:
        item = document["paths"].get(route.path_format or "/", {})
        for method, (handler, _) in route.route_handler_map.items() if isinstance(route, HTTPRoute) else ():
            if method.lower() in item:
                yield item[method.lower()], handler


def _bodies(document: Json, app: Litestar) -> Iterator[tuple[Json, Any, bool]]:
    """(where the schema stands, the type, whether it is sent to us) for each body of a known type."""
    for operation, handler in handlers_of(document, app):
        data = handler.parsed_data_field
        if data is not None and data.annotation is not Any:
            for media in operation["requestBody"]["content"].values():
                yield media, data.annotation, True
        answers = {handler.status_code: _inner(handler.parsed_return_field.annotation)}
        for status, spec in (handler.responses or {}).items():
            answers[status] = spec.data_container
        for status, wanted in answers.items():
            for media in operation["responses"][str(status)].get("content", {}).values():
                if wanted is bytes:
                    media["schema"] = {"type": "string", "format": "binary"}
                elif wanted is not None:
                    yield media, wanted, False


def _inner(annotation: Any) -> Any:
    """The type of the content; None where it is not told or there is none."""
    if get_origin(annotation) is not None and issubclass(get_origin(annotation), Response):
        annotation = get_args(annotation)[0]
    if annotation in (Any, None, type(None)):
        return None
    return None if isinstance(annotation, type) and issubclass(annotation, Response) else annotation


def _tell_moments(types: Sequence[Any], components: Json) -> None:
    """msgspec names the format of a datetime only where the type demands a zone; JSON's have one."""
    waiting: list[Any] = list(inspect.multi_type_info(types))
    seen = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, inspect.UnionType):
            waiting += one.types
        elif isinstance(one, inspect.ListType):
            waiting.append(one.item_type)
        elif isinstance(one, inspect.StructType) and one.cls not in seen:
            seen.add(one.cls)
            for field in one.fields:
                waiting.append(field.type)
                arms = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
                if any(isinstance(arm, inspect.DateTimeType) for arm in arms):
                    schema = components[one.cls.__name__]["properties"][field.encode_name]
                    for arm in schema.get("anyOf", [schema]):
                        if arm["type"] == "string":
                            arm["format"] = "date-time"


def _reachable(starts: Iterable[Any], components: Json) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            name = one.get("$ref", "")
            name = name.removeprefix(REF) if isinstance(name, str) and name.startswith(REF) else None
            if name in components and name not in found:
                found.add(name)
                waiting.append(components[name])
    return found


def _state(schema: Json, add: Any) -> None:
    """Calls `add` for the schema and all within; not for what it refers to."""
    add(schema)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for one in inner:
        _state(one, add)


def _no_nul(schema: Json) -> None:
    if schema.get("type") == "string" and "pattern" not in schema and "format" not in schema:
        schema["pattern"] = NO_NUL


def _limited(schema: Json) -> None:
    match schema.get("type"):
        case "string" if "format" not in schema:
            schema.setdefault("maxLength", limits.MAX_TEXT)
        case "array":
            schema.setdefault("maxItems", limits.MAX_ITEMS)
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            schema.setdefault("maxProperties", limits.MAX_ITEMS)
        case "integer":
            schema.setdefault("minimum", limits.SMALLEST)
            schema.setdefault("maximum", limits.LARGEST)
