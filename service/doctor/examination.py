"""The examination, in order: what a later check needs comes first, and one that fails stops no other."""

from collections.abc import AsyncIterator, Callable, Mapping

import asyncpg

from mandant.service.databases import databases
from mandant.service.doctor.agreements import check_agreements
from mandant.service.doctor.categories import check_categories
from mandant.service.doctor.clocks import check_clocks
from mandant.service.doctor.connecting import check_connections
from mandant.service.doctor.encryption import check_encryption
from mandant.service.doctor.facts import check_facts
from mandant.service.doctor.key_file import check_key_file
from mandant.service.doctor.kms import check_kms
from mandant.service.doctor.line import Line, warning, wrong
from mandant.service.doctor.patient import NotConnected, Patient
from mandant.service.doctor.policies import check_policies
from mandant.service.doctor.roles import check_roles
from mandant.service.doctor.storage import check_disk, check_objects
from mandant.service.doctor.variables import check_variables
from mandant.service.doctor.versions import check_versions
from mandant.service.doctor.working import check_jobs
from mandant.service.postgres.errors import PostgresError
from mandant.service.settings import SettingError, Settings
from mandant.tenants.errors import TenantsError
from mandant.vault.clock import Clock
from mandant.vault.errors import VaultError

__all__ = ["CHECKS", "examine"]

Check = Callable[[Patient], AsyncIterator[Line]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("connections", check_connections),
    ("migrations", check_versions),
    ("roles", check_roles),
    ("row-level security", check_policies),
    ("data categories", check_categories),
    ("encryption in transit", check_encryption),
    ("key file", check_key_file),
    ("KMS", check_kms),
    ("facts", check_facts),
    ("clock", check_clocks),
    ("object store", check_objects),
    ("disk", check_disk),
    ("jobs", check_jobs),
    ("agreements", check_agreements),
)


async def examine(
    environ: Mapping[str, str], clock: Clock, settings: Settings | None = None
) -> AsyncIterator[Line]:
    """Every line, as it is found. `settings`: a host's own, where it does not take those of `environ`."""
    sick = False
    for line in check_variables(environ):
        sick = sick or line.status == "wrong"
        yield line
    if settings is None and sick:
        yield wrong("connections", "databases", "not looked at", "mend the settings first")
        return
    try:
        settings = settings or Settings.from_env(environ)
        async with databases(settings) as where:
            patient = Patient(settings, where, clock)
            try:
                for part, check in CHECKS:
                    async for line in _made(part, check(patient)):
                        yield line
            finally:
                await patient.close()
    except (SettingError, PostgresError, TimeoutError) as error:
        yield wrong("connections", "embedded PostgreSQL", "does not start", str(error))


async def _made(part: str, lines: AsyncIterator[Line]) -> AsyncIterator[Line]:
    """A check that cannot be made says so, in a line of its own."""
    try:
        async for line in lines:
            yield line
    except NotConnected as error:
        yield warning(part, "not looked at", f"no connection to the {error}", "see connections above")
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.InvalidSchemaNameError):
        yield wrong(part, "not looked at", "tables are missing", "mandant database upgrade")
    except (OSError, LookupError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        yield wrong(part, "not looked at", f"refused ({type(error).__name__})", "see connections and roles")
    except (VaultError, TenantsError) as error:
        yield wrong(part, "not looked at", type(error).__name__, str(error))
