"""A request's address as we write it, however it was sent."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def own_path(request: Request[Any, Any, Any]) -> str:
    """The route's template with the values that were read from the address; no slash at its end.

    Python reads a UUID from many spellings, some with a line's end in them: none goes into a header of ours.
    """
    template: str | None = request.scope.get("path_template")
    if template is None:
        return request.url.path.rstrip("/")
    values = request.path_params
    path = _PARAMETER.sub(lambda found: str(values[found[1]]), template)
    return (request.scope.get("root_path", "") + path).rstrip("/")
