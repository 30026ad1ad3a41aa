"""`mandant database` where PostgreSQL lets nobody in."""

from urllib.parse import urlsplit

from tests.service.cli.command import environment, mandant
from tests.stack import Stack


async def test_an_upgrade_that_is_not_let_in_says_so_in_one_sentence(stack: Stack) -> None:
    url = stack.data_url("mandant_owner")
    wrong = url.replace(urlsplit(url).path, "/nothing-here")
    ended = await mandant(environment(stack, MANDANT_DATABASE_OWNER_URL=wrong), "database", "upgrade")
    assert ended.code == 1
    assert "PostgreSQL refuses: InvalidCatalogNameError" in ended.said
    assert "Traceback" not in ended.said
