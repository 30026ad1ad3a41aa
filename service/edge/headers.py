"""Headers that every answer carries. The API answers data, never a page: nothing of it may run or be framed.

The documentation page brings a policy of its own (service/api/docs.py).
"""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

API_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
# Only where the answer has not set its own.
DEFAULTS: Headers = [
    (b"content-security-policy", API_POLICY),
    (b"cache-control", b"no-store"),
]
_PLAIN = frozenset({b"content-type", b"content-length"})


class SecurityHeaders:
    """Adds the headers to an answer's own. `https` (the public address is https) adds HSTS. Source: C11."""

    def __init__(self, *, https: bool) -> None:
        self._fixed = [*ALWAYS, HSTS] if https else ALWAYS
        self._all = [*self._fixed, *DEFAULTS]

    def added(self, headers: Iterable[tuple[bytes, bytes]], request_id: str) -> Headers:
        """The answer's headers, ours and the request's number."""
        own = list(headers)
        own.append((b"x-request-id", request_id.encode()))
        if len(own) == 3 and own[0][0] in _PLAIN and own[1][0] in _PLAIN:
            return own + self._all
        names = {name.lower() for name, _ in own}
        return [*own, *self._fixed, *(pair for pair in DEFAULTS if pair[0] not in names)]
