"""The migrations of both databases, one Alembic tree each, and the one function that runs them.

    await upgrade(owner_url, "data")
    await upgrade(control_owner_url, "control")

SQL is written out by hand. Every table says in its comment whether it is a tenant's, and every column
names its data category in its comment; tests/promises reads both from the catalog.
"""

from mandant.service.migrations.run import TREES, current, head, upgrade

__all__ = ["TREES", "current", "head", "upgrade"]
