"""`mandant vault re-wrap`: a new scope key around a tenant's module keys, with or without its own KMS key."""

from uuid import UUID

import rich_click as click

from mandant.service.cli.installation import Installation, as_worker, installation, run
from mandant.tenants.replay import replay
from mandant.vault.kms.key_arn import parse_key_arn
from mandant.vault.rotation import rewrap
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind

__all__ = ["re_wrap"]


@click.command(name="re-wrap")
@click.option("--tenant", type=click.UUID, required=True, help="one tenant, by id")
@click.option("--byok", metavar="ARN", help="the tenant's own KMS key wraps first; the service's after it")
@click.option("--no-byok", is_flag=True, help="the service's KMS key alone")
def re_wrap(tenant: UUID, byok: str | None, no_byok: bool) -> None:
    """Give a tenant's module data a new scope key, wrapped by the tenant's own KMS key or by ours alone.

    No row changes. With --byok, what the tenant disables at its KMS stops opening within 60 seconds in every
    process; sign-in, members and invoices go on. The tenant's key policy must let our role Encrypt and
    Decrypt; that is tried before anything changes.
    """
    if (byok is None) != no_byok:
        raise click.UsageError("say how: --byok ARN, or --no-byok")
    run(_re_wrap(installation(), tenant, byok))


async def _re_wrap(where: Installation, tenant_id: UUID, byok: str | None) -> None:
    if byok is not None and where.settings.kms == "aws":
        try:
            parse_key_arn(byok)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    async with as_worker(where) as runtime:
        now = runtime.clock.now()
        await replay(runtime.control, runtime.data, tenant_id, now)
        scope = scope_id(tenant_id, ScopeKind.TENANT)
        await rewrap(runtime.control, runtime.provider, scope, now, byok_key_ref=byok)
        await replay(runtime.control, runtime.data, tenant_id, now)
        await runtime.keyring.open(scope)
    by = "its own KMS key and ours" if byok else "our KMS key"
    click.echo(f"tenant {tenant_id}: module data is wrapped by {by}")
