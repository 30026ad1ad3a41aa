"""The base of what is sent and answered about people, and the texts it may hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated, TypeVar

from msgspec import Meta

from mandant.tenants.errors import Invalid, Problem
from mandant.tenants.modules import Part

Sent = TypeVar("Sent", bound="Body")


class Body(Part, frozen=True):
    """A request or an answer: keyword-only, strict about unknown fields, silent when printed."""


# What `clean` refuses, for the document.
_ONE_LINE = {"pattern": r"^([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*)?$"}

Name = Annotated[
    str, Meta(min_length=1, max_length=200, examples=["Anna Muster"], extra_json_schema=_ONE_LINE)
]
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]{1,64}@[^@\s\x00-\x1f\x7f-\x9f]{1,189}$",
        examples=["anna@muster.example"],
    ),
]
Password = Annotated[
    str,
    Meta(
        min_length=12,
        max_length=1024,
        examples=["correct horse battery staple"],
        extra_json_schema=_ONE_LINE,
    ),
]
GivenPassword = Annotated[str, Meta(min_length=1, max_length=1024, examples=["correct horse battery staple"])]
Code = Annotated[str, Meta(min_length=6, max_length=40, examples=["123456"])]
Language = Annotated[str, Meta(pattern="^[a-z]{2}$", max_length=2, description="ISO 639-1", examples=["de"])]
Function = Annotated[str, Meta(max_length=200, examples=["Bookkeeper"], extra_json_schema=_ONE_LINE)]
Country = Annotated[
    str, Meta(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166, two letters", examples=["CH"])
]
Domain = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=253,
        pattern=r"^[^\s@/\x00-\x1f\x7f-\x9f]+\.[^\s@/\x00-\x1f\x7f-\x9f]+$",
        examples=["muster.example"],
    ),
]
HeadCount = Annotated[int, Meta(ge=1, le=10_000_000, examples=[12])]
TimeZone = Annotated[
    str,
    Meta(max_length=64, description="IANA name", examples=["Europe/Zurich"], extra_json_schema=_ONE_LINE),
]
Secret = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="as it was shown once", extra_json_schema=_ONE_LINE),
]
Version = Annotated[int, Meta(ge=1, le=2**31 - 2, description="the version that was read", examples=[1])]


def clean(body: Sent) -> Sent:
    """The body, if no text in it holds a control character, not even a line's end, or only spaces.

    Raises: Invalid.
    """
    wrong = list(_wrong(body, ""))
    if wrong:
        raise Invalid(wrong)
    return body


def _wrong(body: Body, path: str) -> Iterator[Problem]:
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, Body):
            yield from _wrong(value, f"{path}{name}.")
        elif isinstance(value, str) and value:
            if any(unicodedata.category(character) == "Cc" for character in value):
                yield Problem(path + name, "contains a control character; remove it")
            elif value.isspace():
                yield Problem(path + name, "is nothing but spaces")
