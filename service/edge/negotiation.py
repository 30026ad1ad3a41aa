"""Which of the formats that an address offers the caller wants. Most addresses offer one and do not ask."""

from __future__ import annotations

from typing import Any

from litestar import Request

from mandant.service.errors import NotAcceptable


def negotiate(request: Request[Any, Any, Any], *offered: str) -> str:
    """The offered media type that Accept likes best; the first one without Accept. Raises: NotAcceptable."""
    best = request.accept.best_match(list(offered))
    if best is None:
        raise NotAcceptable(offered)
    return best
