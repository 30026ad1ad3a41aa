"""One database address, said the way each driver wants it."""

from urllib.parse import urlsplit, urlunsplit


def sqlalchemy_url(url: str) -> str:
    """`postgresql://...` as SQLAlchemy's asyncpg dialect reads it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def asyncpg_url(url: str) -> str:
    """`postgresql://...` as asyncpg reads it, whatever dialect the scheme named."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql"))
