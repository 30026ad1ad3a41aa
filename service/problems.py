"""The only place that knows what an error is in HTTP: problem details after RFC 9457.

    {"type": "/problems/stale-version", "title": "...", "status": 409, "detail": "what to do",
     "errors": [{"field": "emails.0", "message": "..."}]}          # errors with 422 only

Nothing that was sent is repeated. A detail is a text of ours; other packages' messages stay inside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
from litestar.exceptions import HTTPException, ValidationException
from litestar.plugins.problem_details import ProblemDetailsException

from mandant.service import errors as service
from mandant.service.edge.fields import field_of, message_of
from mandant.service.edge.incidents import record_incident
from mandant.tenants import errors as tenants
from mandant.tenants import objects
from mandant.tenants.modules import files
from mandant.tenants.modules.importing.state import ImportConflict
from mandant.tenants.people import errors as people
from mandant.vault import errors as vault
from mandant.vault.keyring import ControlOlderThanData
from mandant.vault.kms import errors as kms
from mandant.vault.open_scope import UnknownGeneration

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its documentation stands at `/problems/{slug}`."""

    slug: str
    status: int
    title: str
    detail: str
    retry_after: int | None = None  # seconds

    @property
    def type(self) -> str:
        """The stable address that identifies the kind."""
        return f"/problems/{self.slug}"


BAD_REQUEST = Kind(
    "bad-request", 400, "The request cannot be read", "Correct the request's form and send it again."
)
NOT_SIGNED_IN = Kind("not-signed-in", 401, "Not signed in", "Sign in, then send the request again.")
SIGN_IN_REFUSED = Kind(
    "sign-in-refused", 401, "Not signed in", "Check the address, the password and the code."
)
SECOND_FACTOR = Kind(
    "second-factor-needed", 401, "A code is needed", "Send the code of your second factor as well."
)
FORBIDDEN = Kind(
    "forbidden", 403, "Not allowed", "Ask an admin of the tenant to do this or to change your role."
)
NOT_FOUND = Kind("not-found", 404, "Not found", "Check the address and the ids in it.")
METHOD = Kind("method-not-allowed", 405, "Method not allowed", "Use one of the methods that Allow names.")
NOT_ACCEPTABLE = Kind(
    "not-acceptable", 406, "No such format", "Name a format in Accept that this address offers."
)
CONFLICT = Kind("conflict", 409, "The state does not allow it", "Read the current state and decide again.")
STALE = Kind("stale-version", 409, "Changed since", "Read the record again and repeat the change on it.")
NOT_UNIQUE = Kind("not-unique", 409, "Not unique", "Use another value, or change the record that has it.")
READ_ONLY = Kind(
    "read-only", 409, "Read only", "The tenant can read and export; reactivate the contract to write."
)
BUSY = Kind("idempotency-busy", 409, "Being worked on", "Send the same request again in a moment.", 1)
GONE = Kind("gone", 410, "Destroyed", "This has been destroyed for good; it cannot be brought back.")
TOO_LARGE = Kind("too-large", 413, "Too large", "Send less at once; a file belongs to the upload address.")
MEDIA = Kind(
    "unsupported-media-type", 415, "Unsupported content type", "Send a content type that is taken here."
)
INVALID = Kind("invalid", 422, "Some fields are wrong", "Correct the fields named under errors.")
KEY_REUSED = Kind(
    "idempotency-mismatch", 422, "Idempotency key used before", "Use a new key for a new request."
)
RATE = Kind("rate-limited", 429, "Too many tries", "Wait as long as Retry-After says.", 60)
HEADERS = Kind("headers-too-large", 431, "Headers too large", "Send fewer or shorter headers.")
INTERNAL = Kind(
    "internal", 500, "Something went wrong", "It has been recorded; name the incident to the operator."
)
UNAVAILABLE = Kind("unavailable", 503, "Not available", "Try again after the seconds in Retry-After.", 5)
KEYS = Kind("keys-unavailable", 503, "Keys not available", "Try again after the seconds in Retry-After.", 15)
KEY_DENIED = Kind(
    "key-denied",
    503,
    "Key refused",
    "The key that protects this data is switched off; its owner can enable it.",
    60,
)
BEHIND = Kind("data-behind", 503, "Data is being brought up to date", "Try again after Retry-After.", 30)

KINDS: Mapping[str, Kind] = {k.slug: k for k in list(globals().values()) if isinstance(k, Kind)}

_BY_STATUS = {
    k.status: k for k in (UNAVAILABLE, INTERNAL, HEADERS, RATE, INVALID, MEDIA, TOO_LARGE, GONE, CONFLICT)
} | {k.status: k for k in (NOT_ACCEPTABLE, METHOD, NOT_FOUND, FORBIDDEN, NOT_SIGNED_IN, BAD_REQUEST)}


class FieldError(msgspec.Struct, frozen=True):
    """One wrong field: `field` is a path like `emails.0.address`, '' the whole body."""

    field: str
    message: str


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error, for the OpenAPI document."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    incident: str | None = None


def problem(
    kind: Kind,
    detail: str | None = None,
    *,
    errors: Sequence[tuple[str, str]] = (),
    retry_after: int | None = None,
    headers: Mapping[str, str] | None = None,
    incident: str | None = None,
) -> ProblemDetailsException:
    """A problem to raise or to answer with.

    `detail` is a text of ours without values; `retry_after` is in seconds.
    """
    extra: dict[str, Any] = {}
    if errors:
        extra["errors"] = [{"field": field, "message": message} for field, message in errors]
    if incident:
        extra["incident"] = incident
    wait = kind.retry_after if retry_after is None else retry_after
    sent = dict(headers or {})
    if wait is not None:
        sent["Retry-After"] = str(wait)
    return ProblemDetailsException(
        detail=sentence(detail or kind.detail),
        status_code=kind.status,
        headers=sent,
        extra=extra,
        type_=kind.type,
        title=kind.title,
    )


def problem_body(kind: Kind, *, incident: str | None = None) -> bytes:
    """The JSON of a problem, for answers that are made before Litestar is asked."""
    return msgspec.json.encode(ProblemBody(kind.type, kind.title, kind.status, kind.detail, None, incident))


def sentence(text: str) -> str:
    """An error's message as a sentence: capital letter, full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def invalid(*errors: tuple[str, str]) -> ProblemDetailsException:
    """422 that names each wrong field: `invalid(("limit", "at most 200"))`."""
    return problem(INVALID, errors=errors)


def _of_invalid(error: Exception) -> ProblemDetailsException:
    assert isinstance(error, tenants.Invalid)  # noqa: S101 - the map below says so
    return problem(INVALID, errors=[(p.field, p.message) for p in error.problems])


# Litestar's words for a query parameter or header that did not come; the name is ours.
_MISSING = re.compile(r"Missing required \w+ parameter '([\w-]+)'")


def _of_litestar_validation(error: Exception) -> ProblemDetailsException:
    found = error.extra if isinstance(error, ValidationException) and isinstance(error.extra, list) else []
    wrong = [(field_of(str(e.get("key", ""))), message_of(str(e.get("message", "")))) for e in found]
    if missing := _MISSING.match(getattr(error, "detail", "")):
        wrong = [(missing[1], "is missing")]
    if wrong:
        return problem(INVALID, errors=wrong)
    return problem(BAD_REQUEST)


def _of_litestar(error: Exception) -> ProblemDetailsException:
    assert isinstance(error, HTTPException)  # noqa: S101 - the map below says so
    kind = _BY_STATUS.get(error.status_code)
    if kind is INTERNAL or (kind is None and error.status_code >= 500):
        return _of_anything(error)
    kind = kind or BAD_REQUEST
    allow = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return problem(kind, headers={"Allow": ", ".join(sorted(allow["allow"].split(", ")))} if allow else None)


def _of_anything(error: Exception) -> ProblemDetailsException:
    """Opaque outside; inside the class and the place under the same incident number, never the message."""
    return problem(INTERNAL, incident=record_incident(error))


def _of_refused_value(error: Exception) -> ProblemDetailsException:
    """Which field it is, nobody can tell; recorded, because a check of ours is missing."""
    incident = record_incident(error)
    return problem(INVALID, errors=[("", "a value is out of range")], incident=incident)


def _retrying(kind: Kind) -> Callable[[Exception], ProblemDetailsException]:
    def make(error: Exception) -> ProblemDetailsException:
        return problem(kind, retry_after=getattr(error, "retry_after", None))

    return make


def _saying(kind: Kind) -> Callable[[Exception], ProblemDetailsException]:
    """For errors whose message is a text of ours."""

    def make(error: Exception) -> ProblemDetailsException:
        return problem(kind, str(error), retry_after=getattr(error, "retry_after", None))

    return make


def _of_denied(error: Exception) -> ProblemDetailsException:
    """What the KMS does not recognise was moved or damaged: an alert, like ciphertext that does not open."""
    if getattr(error, "reason", "") in ("wrong_context", "refused"):
        return _of_anything(error)
    return _retrying(KEY_DENIED)(error)


def _of_not_unique(error: Exception) -> ProblemDetailsException:
    field = getattr(error, "field", "")
    return problem(NOT_UNIQUE, str(error), errors=[(field, "another record has the same value")])


ProblemMap = dict[type[Exception], Callable[[Exception], ProblemDetailsException]]

# A class stands for its subclasses too; the nearest one in the class order wins.
PROBLEMS: ProblemMap = {
    tenants.Invalid: _of_invalid,
    tenants.NotFound: _saying(NOT_FOUND),
    tenants.Gone: _saying(GONE),
    tenants.StaleVersion: _saying(STALE),
    tenants.NotUnique: _of_not_unique,
    tenants.ReadOnly: _saying(READ_ONLY),
    tenants.DataOlderThanControl: _retrying(BEHIND),
    tenants.Forbidden: _saying(FORBIDDEN),
    tenants.DataUnavailable: _retrying(UNAVAILABLE),
    files.FileTooLarge: _saying(TOO_LARGE),
    ImportConflict: _saying(CONFLICT),
    people.NotSignedIn: _saying(NOT_SIGNED_IN),
    people.SignInRefused: _saying(SIGN_IN_REFUSED),
    people.CodesWait: _saying(RATE),
    people.SecondFactorNeeded: _saying(SECOND_FACTOR),
    people.AddressTaken: _saying(CONFLICT),
    people.InvitationOver: _saying(CONFLICT),
    people.LastOwner: _saying(CONFLICT),
    people.AlreadyMember: _saying(CONFLICT),
    people.SecondFactorState: _saying(CONFLICT),
    objects.ObjectMissing: _retrying(NOT_FOUND),
    objects.ObjectsUnavailable: _retrying(UNAVAILABLE),
    objects.ObjectsRefused: _retrying(UNAVAILABLE),
    vault.KeyShredded: _retrying(GONE),
    vault.KeyDenied: _of_denied,
    UnknownGeneration: _retrying(BEHIND),
    ControlOlderThanData: _retrying(BEHIND),
    kms.KmsError: _retrying(KEYS),
    vault.KeyFileMissing: _retrying(KEYS),
    kms.KeyFileDamaged: _retrying(KEYS),
    kms.KeyFileExposed: _retrying(KEYS),
    kms.KeyFileOutdated: _retrying(KEYS),
    vault.KeyUnavailable: _retrying(KEYS),
    vault.ControlUnavailable: _retrying(UNAVAILABLE),
    service.BrokenBody: _saying(BAD_REQUEST),
    service.UnsupportedBody: _saying(MEDIA),
    service.NotAcceptable: _saying(NOT_ACCEPTABLE),
    service.RateLimited: _saying(RATE),
    service.IdempotencyBusy: _saying(BUSY),
    service.IdempotencyMismatch: _saying(KEY_REUSED),
    service.NotStarted: _saying(UNAVAILABLE),
    # The data database does not answer, is full, or gave up waiting for a lock.
    asyncpg.PostgresConnectionError: _retrying(UNAVAILABLE),
    asyncpg.CannotConnectNowError: _retrying(UNAVAILABLE),
    asyncpg.AdminShutdownError: _retrying(UNAVAILABLE),
    asyncpg.TooManyConnectionsError: _retrying(UNAVAILABLE),
    asyncpg.LockNotAvailableError: _retrying(UNAVAILABLE),
    asyncpg.DeadlockDetectedError: _retrying(UNAVAILABLE),
    asyncpg.SerializationError: _retrying(UNAVAILABLE),
    asyncpg.InterfaceError: _retrying(UNAVAILABLE),
    asyncpg.InternalClientError: _retrying(UNAVAILABLE),
    # What no check of ours refused and PostgreSQL does: out of range, not representable.
    asyncpg.DataError: _of_refused_value,
    ConnectionError: _retrying(UNAVAILABLE),
    TimeoutError: _retrying(UNAVAILABLE),
    ValidationException: _of_litestar_validation,
    HTTPException: _of_litestar,
    Exception: _of_anything,
}
