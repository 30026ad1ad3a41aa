"""Reading a JSON body: strictly, once, into the handler's own type, and never a 500 for what was sent.

Litestar decodes to plain dicts and converts leniently ("1" passes for 1); this decodes once, strictly.
Handlers declare `data: JSONBody[T]` as always; `MandantRequest` does the rest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.types import Empty

from mandant.service.edge.fields import problem_of
from mandant.service.errors import BrokenBody, UnsupportedBody
from mandant.tenants.errors import Invalid

T = TypeVar("T")


class MandantRequest(Request[Any, Any, State]):
    """A request whose `json()` gives the type that the handler's `data` declares.

    A handler with `opt={"parse": ...}` reads the body by that function instead: a module's names every
    problem of a record at once.
    """

    async def json(self) -> Any:
        """The decoded body. Raises: UnsupportedBody, BrokenBody, Invalid."""
        if self._json is Empty:
            handler = cast("HTTPRouteHandler", self.scope["route_handler"])
            parse = handler.opt.get("parse")
            if parse is not None:
                check_json(self)
                self._json = parse(await self.body())
            else:
                field = handler.parsed_data_field
                self._json = await read_json(self, Any if field is None else field.annotation)
        return self._json


async def read_json(request: Request[Any, Any, Any], wanted: type[T] | Any) -> T:
    """The body as `wanted` (any type msgspec knows), for handlers that learn the type while they run.

    Raises: UnsupportedBody, BrokenBody, Invalid (with the field's path).
    """
    check_json(request)
    return cast("T", decode(await request.body(), wanted))


def check_json(request: Request[Any, Any, Any]) -> None:
    """Raises: UnsupportedBody unless the body says that it is JSON."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise UnsupportedBody


def decode(body: bytes, wanted: Any) -> Any:
    """Decode JSON as `wanted`. Raises: BrokenBody, Invalid."""
    try:
        value = decoder_of(wanted).decode(body)
        if b"\\u0000" in body:
            _refuse_nul(msgspec.json.decode(body), "")
        return value
    except msgspec.ValidationError as error:
        raise Invalid([problem_of(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BrokenBody("the body is not valid JSON in UTF-8") from None
    except RecursionError:
        raise BrokenBody("the body is nested too deeply") from None


@lru_cache(512)
def decoder_of(wanted: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a type; making one costs more than a decode."""
    return msgspec.json.Decoder(wanted)


def _refuse_nul(value: Any, path: str) -> None:
    """PostgreSQL's text cannot hold NUL and no field needs it."""
    if isinstance(value, str) and "\0" in value:
        raise Invalid([(path, "contains a NUL character; remove it")])
    if isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                raise Invalid([(path, "a name contains a NUL character; remove it")])
            _refuse_nul(item, f"{path}.{key}".strip("."))
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(item, f"{path}.{index}".strip("."))
