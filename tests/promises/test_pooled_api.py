"""Registration, sign-in, members and records over HTTP, once more through PgBouncer in transaction mode."""

from mandant.tenants.modules.customers import customers
from tests.promises.pooled import stack  # noqa: F401 - a fixture
from tests.service.api.conftest import http  # noqa: F401 - a fixture
from tests.service.api.test_people import *  # noqa: F403 - the same tests, by another way

MODULES = [customers]
