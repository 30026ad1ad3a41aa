"""schemathesis over the whole document, signed in as an owner, against the service as `mandant up` runs it.

Every operation gets what the document allows and what it forbids. `make fuzz` does the same for longer.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import CHECKS, load_all_checks

from mandant.service.api.application import application
from mandant.service.api.document import finished
from mandant.service.edge.metrics import Metrics
from mandant.service.settings import Settings
from mandant.tenants.modules import Module
from mandant.tenants.modules.customers import customers, groups
from tests.service.api.fuzzed import ENDING, World, world

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
MODULES: list[Module[Any]] = [customers, groups]
# Where a schema cannot say all: these may refuse what it allows, with 422, and nothing else.
MAY_REFUSE = {
    "register": "a time zone has to be of the IANA list",
    "tenants_create": "the same",
    "tenants_update": "the same",
    "me_change_password": "the old password has to be right",
    "second_factor_confirm": "the code has to be right",
    "second_factor_off": "the same",
    "files_upload": "the module has to exist, Content-Disposition to name a file",
} | {
    f"{module.name}_{name}": why
    for module in MODULES
    for name, why in {
        "create": "a customer needs a name",
        "bulk": "the same",
        "update": "the same",
        "search": "what is looked for has to fit its field",
        "query": "the same",
        "imports_upload": "the file has to be one that can be read",
        "imports_remap": "the columns have to be the file's",
    }.items()
}
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_app = application(MODULES, Settings(), Metrics())
_document = finished(_app.openapi_schema.to_schema(), _app, MODULES)
schema = schemathesis.openapi.from_dict(_document)
load_all_checks()
(refused_positive,) = CHECKS.get_by_names(["positive_data_acceptance"])


def excluded(case: schemathesis.Case[Any]) -> list[Any]:
    return [refused_positive] if case.operation.definition.raw["operationId"] in MAY_REFUSE else []


@pytest.fixture(scope="module")
def started() -> Iterator[World]:
    with world() as made:
        yield made


@schema.parametrize()
@SETTINGS
def test_every_operation_keeps_to_the_document(case: schemathesis.Case[Any], started: World) -> None:
    case.call_and_validate(**started.prepare(case), excluded_checks=excluded(case))


def test_operations_keep_to_the_document_one_after_the_other(started: World) -> None:
    """What one operation answers goes into the next: read after delete, update after create."""
    base: Any = schema.exclude(operation_id=sorted(ENDING)).as_state_machine()

    class Machine(base):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return started.prepare(case)

        def validate_response(
            self, response: Any, case: schemathesis.Case[Any], *_: Any, **kwargs: Any
        ) -> None:
            recorder = getattr(self, "recorder", None)
            case.validate_response(
                response, excluded_checks=excluded(case), transport_kwargs=kwargs, recorder=recorder
            )

    run_state_machine_as_test(Machine, settings=settings(SETTINGS, stateful_step_count=8))
