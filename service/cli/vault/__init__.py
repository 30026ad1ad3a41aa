"""`mandant vault`: what keys there are, whether everything opens, and new keys for what is stored."""

import rich_click as click

from mandant.service.cli.vault.newkeys import re_encrypt, reindex, rotate
from mandant.service.cli.vault.rewrap import re_wrap
from mandant.service.cli.vault.status import status
from mandant.service.cli.vault.verify import verify

__all__ = ["vault"]


@click.group()
def vault() -> None:
    """Keys and sealed data: counted, verified, renewed. Shows no secret and no content."""


for command in (status, verify, rotate, re_encrypt, reindex, re_wrap):
    vault.add_command(command)
