"""What can go wrong with a tenant's data: one short class a cause, each message says what to do.

No message carries a value of a record: messages travel to logs, values must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TenantsError(Exception):
    """Base of every error that the tenants layer raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what somebody sent: `field` is a path like `emails.0.address`, '' the whole."""

    field: str
    message: str


class Invalid(TenantsError):
    """What was sent breaks the declaration. `problems` has one entry a fault, none holds the value."""

    def __init__(self, problems: Sequence[Problem | tuple[str, str]]) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem(*p) for p in problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} with the data; correct the fields")


class NotFound(TenantsError):
    """There is no such thing in this tenant (or it is another tenant's, which must look the same)."""

    def __init__(self, what: str = "record") -> None:
        self.what = what
        super().__init__(f"this {what} does not exist here; check its id")


class Gone(TenantsError):
    """It was here and has been destroyed for good."""

    def __init__(self, what: str = "record") -> None:
        self.what = what
        super().__init__(f"this {what} has been destroyed; it cannot be brought back")


class StaleVersion(TenantsError):
    """Somebody else changed the record since the caller read it."""

    def __init__(self) -> None:
        super().__init__("the record has changed since; read it again and repeat the change")


class NotUnique(TenantsError):
    """Another record of the tenant has this value in a unique field."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"another record has the same {field}; use a different one or change that record")


class ReadOnly(TenantsError):
    """The tenant may read and export, but not write."""

    def __init__(self) -> None:
        super().__init__("this tenant can only read and export now; reactivate the contract to write")


class DataOlderThanControl(TenantsError):
    """The data database has not seen every control fact of this owner yet."""

    def __init__(self) -> None:
        super().__init__("the data is older than the keys; try again once the missing facts are replayed")


class Forbidden(TenantsError):
    """The person is known, but the role does not allow this."""

    def __init__(self, action: str = "this") -> None:
        self.action = action
        super().__init__(f"your role does not allow {action}; ask an admin of the tenant")


class DataUnavailable(TenantsError):
    """The data database does not answer. `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__("the database does not answer; try again in a moment")
