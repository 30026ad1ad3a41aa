"""Whether the way to the databases and to the service is encrypted. Source: C11."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.doctor.patient import Patient

PART = "encryption in transit"
_HERE = {"", "localhost", "127.0.0.1", "::1"}


async def check_encryption(patient: Patient) -> AsyncIterator[Line]:
    """One line a connection, and one for what browsers see."""
    for (tree, role), connection in patient.connections.items():
        # A role sees its own row whatever it may otherwise see.
        encrypted = await connection.fetchval(
            "SELECT s.ssl FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()"
        )
        yield about_database(f"{tree} as {role}", patient.url(tree, role), encrypted=bool(encrypted))
    yield about_browsers(patient.settings.public_url, patient.settings.host)


def about_database(name: str, url: str, *, encrypted: bool) -> Line:
    """`encrypted` as PostgreSQL says of the connection that `url` made."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname or ""])[0]
    if host in _HERE or host.startswith("/"):
        return ok(PART, name, "on this machine")
    if not encrypted:
        return wrong(PART, name, "goes over the network unencrypted", "add ?sslmode=verify-full to the URL")
    if query.get("sslmode") != ["verify-full"]:
        todo = "add sslmode=verify-full, and sslrootcert=... for a private authority"
        return warning(PART, name, "encrypted, but anybody could be the server", todo)
    return ok(PART, name, "TLS, the server's certificate is checked")


def about_browsers(public_url: str | None, host: str) -> Line:
    """How browsers reach the service."""
    if public_url is None:
        if host in _HERE:
            return ok(PART, "browsers", "on this machine only")
        todo = "set MANDANT_PUBLIC_URL=https://..., with TLS in front of the service"
        return warning(PART, "browsers", f"listens on {host}, no public address is set", todo)
    if public_url.startswith("https://"):
        return ok(PART, "browsers", "https: cookies are Secure, HSTS is sent")
    return wrong(PART, "browsers", "http without TLS", "serve https and set MANDANT_PUBLIC_URL to it")
