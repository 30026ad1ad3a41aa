"""What each problem type means: the address that `type` names answers with its explanation."""

from __future__ import annotations

import msgspec
from litestar import get
from litestar.params import FromPath

from mandant.service.problems import KINDS
from mandant.tenants.errors import NotFound


class ProblemKind(msgspec.Struct, frozen=True):
    """A kind of problem and what to do about it."""

    type: str
    title: str
    status: int
    what_to_do: str


@get(
    "/problems/{slug:str}",
    operation_id="problems_read",
    opt={"public": True},
    tags=["Problems"],
    summary="What a problem type means",
    sync_to_thread=False,
)
def explain(slug: FromPath[str]) -> ProblemKind:
    """Problem types are stable: programs may compare them."""
    kind = KINDS.get(slug)
    if kind is None:
        raise NotFound("problem type")
    return ProblemKind(kind.type, kind.title, kind.status, kind.detail)


HANDLERS = (explain,)
