"""The API's document: valid, complete, with examples that hold, and stable names for whoever generates clients."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import field
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from mandant.service.api.application import application
from mandant.service.api.document import finished
from mandant.service.edge.metrics import Metrics
from mandant.service.settings import Settings
from mandant.tenants.modules import Module, Record
from mandant.tenants.modules.customers import customers, groups


class Bare(Record):
    """A host's record without examples."""

    title: str
    weight: float = 0.0
    labels: dict[str, int] = field(default_factory=dict)


MODULES: list[Module[Any]] = [customers, groups, Module("bare", Bare)]
PUBLIC = {
    "agreements_current",
    "health_live",
    "health_ready",
    "invitations_accept_as_newcomer",
    "problems_read",
    "register",
    "sign_in",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = application(MODULES, Settings(), Metrics())
    made: dict[str, Any] = json.loads(json.dumps(finished(app.openapi_schema.to_schema(), app, MODULES)))
    return made


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_it_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_has_a_short_stable_name_a_section_and_words(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert {"customers_create", "customers_imports_upload", "customers_export", "files_upload"} <= set(names)
    assert {"sign_in", "me_read", "tenants_update", "members_list", "tokens_create"} <= set(names)
    sections = [tag["name"] for tag in document["tags"]]
    assert sections[0] == "Sign-in"
    assert all(tag["description"] for tag in document["tags"])
    found = [operation["tags"][0] for _, _, operation in operations(document)]
    assert list(dict.fromkeys(found)) == sections
    assert all(operation["summary"] and operation["description"] for _, _, operation in operations(document))


def test_all_but_the_public_operations_need_a_bearer_token(document: dict[str, Any]) -> None:
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    public = {o["operationId"] for _, _, o in operations(document) if o.get("security") == []}
    assert public == PUBLIC
    for path, _, operation in operations(document):
        assert ("401" in operation["responses"]) == (
            operation["operationId"] not in PUBLIC or path.endswith("/sign-in")
        )


def test_every_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for path, method, operation in operations(document):
        answers = [a for status, a in operation["responses"].items() if status.startswith("2")]
        for body in (operation.get("requestBody", {}), *answers):
            for kind, media in body.get("content", {}).items():
                if kind != "application/json":
                    continue
                schema = {**media["schema"], "components": document["components"]}
                faults = list(OAS31Validator(schema).iter_errors(media["example"]))
                assert not faults, (path, method, faults)
                checked += 1
    assert checked > 60


def test_a_module_shows_its_own_example(document: dict[str, Any]) -> None:
    path = "/api/v1/tenants/{tenant_id}/modules/customers/records"
    example = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert (example["last_name"], example["emails"][0]["address"]) == ("Muster", "anna@muster.example")


def test_every_parameter_says_what_it_is(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["schema"].get("description"), (path, parameter)
            assert "null" not in json.dumps(parameter["schema"])  # an address holds no null


def test_posts_that_may_be_sent_again_say_so(document: dict[str, Any]) -> None:
    keyed = {
        operation["operationId"]
        for _, _, operation in operations(document)
        if any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", []))
    }
    assert keyed >= {"customers_create", "customers_bulk", "customers_imports_upload", "files_upload"}


def test_what_the_code_refuses_the_schema_refuses(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("Bare", "BareBulk", "BareSearch", "BareQuery", "BareTest", "RegisterBody", "ChangeBody"):
        assert schemas[name]["additionalProperties"] is False, name
    title = schemas["Bare"]["properties"]["title"]
    assert (title["maxLength"], title["pattern"]) == (10_000, r"^[^\x00]*$")
    assert schemas["Bare"]["properties"]["labels"]["maxProperties"] == 1_000
    assert schemas["Customer"]["properties"]["ibans"]["items"]["maxLength"] == 60
    assert schemas["CustomerCondition"]["properties"]["field"]["enum"] == sorted(
        spec.path for spec in customers.searchable_fields
    )
    assert schemas["StoredBare"]["properties"]["created_at"]["format"] == "date-time"


def test_the_document_is_the_same_each_time(document: dict[str, Any]) -> None:
    app = application(MODULES, Settings(), Metrics())
    assert json.loads(json.dumps(finished(app.openapi_schema.to_schema(), app, MODULES))) == document
