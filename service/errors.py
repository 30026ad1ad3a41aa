"""What the service itself refuses: one short class a cause, the message says what to do.

None carries what was sent.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of every error that the service raises on purpose."""


class BrokenBody(ServiceError):
    """The body is not what its content type says."""


class UnsupportedBody(ServiceError):
    """The body's content type is none that this address takes."""

    def __init__(self, taken: str = "application/json") -> None:
        super().__init__(f"send the body as {taken} and say so in Content-Type")


class NotAcceptable(ServiceError):
    """Accept names nothing that this address can answer with."""

    def __init__(self, offered: tuple[str, ...]) -> None:
        super().__init__(f"this address answers with {', '.join(offered)}; name one of them in Accept")


class RateLimited(ServiceError):
    """Too many tries. `retry_after` is in whole seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(f"too many tries; wait {self.retry_after} s")


class IdempotencyBusy(ServiceError):
    """A request with this idempotency key is being worked on at this moment."""

    def __init__(self) -> None:
        super().__init__("a request with this Idempotency-Key is being worked on; send it again in a moment")


class IdempotencyMismatch(ServiceError):
    """The idempotency key belongs to a request with another body or address."""

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key belongs to a different request; use a new key for a new request"
        )


class NotStarted(ServiceError):
    """The service's databases and keys are not open yet, or not any more."""

    def __init__(self) -> None:
        super().__init__("the service is starting or stopping; try again in a moment")
