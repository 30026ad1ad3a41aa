"""What differs between installations: one frozen value, read from the environment once.

    settings = Settings.from_env(os.environ)
    settings.kms            # "local"

A variable that is not set, or set to nothing, has the default beside its field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

__all__ = ["SettingError", "Settings", "unknown_variables"]


class SettingError(ValueError):
    """A variable of the environment has a value that cannot be meant; the message names it, not the value."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable


def _text(raw: str) -> str:
    return raw


def _path(raw: str) -> Path:
    return Path(raw).expanduser()


def _postgres(raw: str) -> str:
    if urlsplit(raw).scheme not in {"postgresql", "postgres"}:
        raise ValueError("must be a URL that starts with postgresql://")
    return raw


def _http(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL that starts with http:// or https://")
    return raw.rstrip("/")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(raw)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return raw.lower()

    return parse


def _switch(raw: str) -> bool:
    return _one_of("on", "off")(raw) == "on"


def _variable(name: str, parse: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"variable": name, "parse": parse})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that an installation may set. Database URLs hold passwords: repr leaves them out."""

    database_url: str | None = _variable("MANDANT_DATABASE_URL", _postgres, None, secret=True)
    """Data database as mandant_app. None: the embedded server is started and used for all six."""
    database_owner_url: str | None = _variable("MANDANT_DATABASE_OWNER_URL", _postgres, None, secret=True)
    """Data database as mandant_owner: migrations only."""
    database_worker_url: str | None = _variable("MANDANT_DATABASE_WORKER_URL", _postgres, None, secret=True)
    """Data database as mandant_worker. A direct connection: LISTEN does not pass through PgBouncer."""
    control_url: str | None = _variable("MANDANT_CONTROL_URL", _postgres, None, secret=True)
    """Control database as mandant_app."""
    control_owner_url: str | None = _variable("MANDANT_CONTROL_OWNER_URL", _postgres, None, secret=True)
    """Control database as mandant_owner: migrations only."""
    control_worker_url: str | None = _variable("MANDANT_CONTROL_WORKER_URL", _postgres, None, secret=True)
    """Control database as mandant_worker. None: the worker uses control_url."""
    database_pool: int = _variable("MANDANT_DATABASE_POOL", _whole(1, 1000), 16)
    """Connections to the data database that one process holds at most."""
    control_pool: int = _variable("MANDANT_CONTROL_POOL", _whole(1, 1000), 4)
    """Connections to the control database that one process holds at most."""
    pgbouncer: bool = _variable("MANDANT_PGBOUNCER", _switch, False)
    """Whether database_url leads through PgBouncer in transaction mode: no prepared statements are kept."""

    kms: Literal["local", "aws"] = _variable("MANDANT_KMS", _one_of("local", "aws"), "local")
    """Who wraps the scope keys: a key file on this machine, or AWS KMS."""
    kms_region: str = _variable("MANDANT_KMS_REGION", _text, "eu-central-2")
    """AWS region of the keys (C9: Zürich)."""
    kms_endpoint: str | None = _variable("MANDANT_KMS_ENDPOINT", _http, None)
    """Address of KMS where it is not AWS's own (a VPC endpoint, moto)."""
    key_file: Path | None = _variable("MANDANT_KEY_FILE", _path, None)
    """Key file of the local provider. None: `keys/local.json` under var."""
    key_ttl: int = _variable("MANDANT_KEY_TTL", _whole(1, 60), 45)
    """Seconds that an unwrapped key serves before KMS is asked again; a disabled key has stopped by then."""
    key_grace: int = _variable("MANDANT_KEY_GRACE", _whole(0, 3600), 300)
    """Seconds that keys serve on while KMS times out or throttles."""

    var: Path = _variable("MANDANT_VAR", _path, Path("var"))
    """Folder of everything this machine keeps: embedded server, key file, objects, run files."""
    host: str = _variable("MANDANT_HOST", _text, "127.0.0.1")
    """Address to listen on."""
    port: int | None = _variable("MANDANT_PORT", _whole(1, 65535), None)
    """Port to listen on. None: 8350, or the next one that is free."""
    public_url: str | None = _variable("MANDANT_PUBLIC_URL", _http, None)
    """How browsers reach the service. With https, cookies are `Secure` and HSTS is sent."""
    proxies: int = _variable("MANDANT_PROXIES", _whole(0, 8), 0)
    """Proxies of yours before the service, each of which appends to X-Forwarded-For. Tries are limited by the
    client's network; with too small a number all clients are one, with too large a one they name any."""
    web_workers: int = _variable("MANDANT_WEB_WORKERS", _whole(1, 256), 1)
    """Web processes of `mandant up`."""

    log_level: str = _variable(
        "MANDANT_LOG_LEVEL", _one_of("debug", "info", "warning", "error", "critical"), "info"
    )
    """Least severe event that is logged."""
    otel_endpoint: str | None = _variable("MANDANT_OTEL_ENDPOINT", _http, None)
    """OTLP/HTTP collector. None: no traces. Needs the `otel` extra."""

    objects: Literal["folder", "s3"] = _variable("MANDANT_OBJECTS", _one_of("folder", "s3"), "folder")
    """Where sealed files lie."""
    objects_folder: Path | None = _variable("MANDANT_OBJECTS_FOLDER", _path, None)
    """None: `objects` under var."""
    objects_bucket: str | None = _variable("MANDANT_OBJECTS_BUCKET", _text, None)
    """S3 bucket."""
    objects_region: str = _variable("MANDANT_OBJECTS_REGION", _text, "eu-central-2")
    """AWS region of the bucket (C9: Zürich)."""
    objects_endpoint: str | None = _variable("MANDANT_OBJECTS_ENDPOINT", _http, None)
    """Address of S3 where it is not AWS's own."""

    body_limit: int = _variable("MANDANT_BODY_LIMIT", _whole(1024, 1 << 30), 4 << 20)
    """Bytes of a request's body, files and imports apart."""
    file_limit: int = _variable("MANDANT_FILE_LIMIT", _whole(1024, 1 << 40), 100 << 20)
    """Bytes of one uploaded file or import."""
    idempotency_hours: int = _variable("MANDANT_IDEMPOTENCY_HOURS", _whole(1, 720), 24)
    """Hours that an idempotency key's answer is kept."""
    session_hours: int = _variable("MANDANT_SESSION_HOURS", _whole(1, 720), 12)
    """Hours after which a sign-in ends, whatever happens in between."""
    sign_in_attempts: int = _variable("MANDANT_SIGN_IN_ATTEMPTS", _whole(1, 10_000), 10)
    """Sign-ins that may be tried with one e-mail in a window; ten times as many from one network."""
    sign_in_window: int = _variable("MANDANT_SIGN_IN_WINDOW", _whole(1, 86_400), 300)
    """Seconds of that window."""
    job_attempts: int = _variable("MANDANT_JOB_ATTEMPTS", _whole(1, 100), 5)
    """Times a job is tried, those that killed their worker included."""
    job_concurrency: int = _variable("MANDANT_JOB_CONCURRENCY", _whole(1, 64), 4)
    """Jobs that one worker runs at a time."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Reads every variable.

        Raises:
            SettingError: a value is wrong, or one that another setting needs is missing.
        """
        values: dict[str, Any] = {}
        for one in fields(cls):
            raw = environ.get(one.metadata["variable"], "").strip()
            if not raw:
                continue
            try:
                values[one.name] = one.metadata["parse"](raw)
            except ValueError as error:
                raise SettingError(one.metadata["variable"], str(error)) from None
        settings = cls(**values)
        settings._check_together()
        return settings

    def _check_together(self) -> None:
        if (self.database_url is None) != (self.control_url is None):
            missing = "MANDANT_CONTROL_URL" if self.control_url is None else "MANDANT_DATABASE_URL"
            raise SettingError(missing, "data and control are set together, or neither (embedded server)")
        if self.objects == "s3" and not self.objects_bucket:
            raise SettingError("MANDANT_OBJECTS_BUCKET", "is needed with MANDANT_OBJECTS=s3")

    @property
    def embedded(self) -> bool:
        """Whether the embedded PostgreSQL serves both databases."""
        return self.database_url is None


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Names that start with MANDANT_ and that no setting has: misspelled, most likely."""
    known = {one.metadata["variable"] for one in fields(Settings)}
    return sorted(name for name in environ if name.startswith("MANDANT_") and name not in known)
