"""Who may do what with which key, read from the policies themselves: moto enforces none of them.

`allowed` and `denied` evaluate a statement list as IAM does for what this template uses: actions with
wildcards, principals, and the condition operators in `_holds`. An operator it does not know fails the test.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

ROOT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
APPLICATION, SUPPORT, OPERATIONS = "ApplicationRole.Arn", "SupportRole.Arn", "OperationsRole.Arn"
HUMAN = "AdministratorRole"  # somebody whose IAM policy allows everything
PIPELINE = "KeyPolicyRoleArn"

SCOPE = "0197a3e0-0000-7000-8000-000000000001"
CONTEXT = {"mandant:scope": SCOPE, "mandant:kind": "tenant", "mandant:generation": "1"}
USES = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:CreateGrant"]


def _name(value: Any) -> str:
    """A principal or ARN of the template as one word."""
    return str(next(iter(value.values()))) if isinstance(value, dict) else str(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _keys(who: str, context: Mapping[str, str], more: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"aws:PrincipalArn": who, **more}
    found |= {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    if context:
        found["kms:EncryptionContextKeys"] = list(context)
    return found


def _holds(operator: str, key: str, wanted: list[str], request: Mapping[str, Any]) -> bool:
    there = request.get(key)
    if operator == "Null":
        return (there is None) == (wanted == ["true"])
    if operator == "ForAllValues:StringEquals":
        return all(value in wanted for value in there or [])
    if operator in ("StringNotEquals", "ArnNotEquals"):
        return there is None or there not in wanted
    if operator in ("StringEquals", "ArnEquals", "Bool"):
        return there is not None and there in wanted
    if operator in ("StringLike", "ArnLike"):
        return there is not None and any(fnmatchcase(there, pattern) for pattern in wanted)
    raise AssertionError(f"the evaluator does not know {operator}")


def _applies(statement: dict[str, Any], who: str, action: str, request: Mapping[str, Any]) -> bool:
    principal = statement["Principal"]
    named = "*" if principal == "*" else _name(principal.get("AWS", ""))
    if ROOT in named:
        named = "*"  # delegates to IAM, and IAM is taken to allow everything to everybody in the account
    return (
        (named == "*" or named == who)
        and any(fnmatchcase(action, pattern) for pattern in _listed(statement["Action"]))
        and all(
            _holds(operator, key, [_name(value) for value in _listed(wanted)], request)
            for operator, condition in statement.get("Condition", {}).items()
            for key, wanted in condition.items()
        )
    )


def may(policy: dict[str, Any], who: str, action: str, context: Mapping[str, str] = {}, **more: str) -> bool:
    """Whether the key policy lets `who` do it, were IAM to allow it everything."""
    request = _keys(who, context, {name.replace("_", ":", 1): value for name, value in more.items()})
    hits = {one["Effect"] for one in policy["Statement"] if _applies(one, who, action, request)}
    return hits == {"Allow"}


@pytest.fixture
def epoch(template: dict[str, Any]) -> dict[str, Any]:
    policy: dict[str, Any] = template["Resources"]["EpochKey"]["Properties"]["KeyPolicy"]
    return policy


@pytest.fixture
def storage(template: dict[str, Any]) -> dict[str, Any]:
    policy: dict[str, Any] = template["Resources"]["StorageKey"]["Properties"]["KeyPolicy"]
    return policy


@pytest.mark.parametrize("action", ["kms:Encrypt", "kms:Decrypt"])
@pytest.mark.parametrize("kind", ["tenant", "operator", "person", "system"])
def test_the_application_wraps_and_unwraps_with_the_context(
    epoch: dict[str, Any], action: str, kind: str
) -> None:
    assert may(epoch, APPLICATION, action, CONTEXT | {"mandant:kind": kind})


WRONG_CONTEXTS = [
    {},
    {"mandant:scope": SCOPE},
    {name: value for name, value in CONTEXT.items() if name != "mandant:scope"},
    {name: value for name, value in CONTEXT.items() if name != "mandant:kind"},
    {name: value for name, value in CONTEXT.items() if name != "mandant:generation"},
    CONTEXT | {"mandant:scope": "*"},
    CONTEXT | {"mandant:kind": "anything"},
    CONTEXT | {"something": "else"},
]


@pytest.mark.parametrize("context", WRONG_CONTEXTS)
@pytest.mark.parametrize("who", [APPLICATION, SUPPORT])
def test_nobody_unwraps_with_another_context_or_none(
    epoch: dict[str, Any], who: str, context: dict[str, str]
) -> None:
    assert not may(epoch, who, "kms:Decrypt", context)
    assert not may(epoch, who, "kms:Encrypt", context)


def test_support_unwraps_tenants_scopes_and_nothing_else(epoch: dict[str, Any]) -> None:
    assert may(epoch, SUPPORT, "kms:Decrypt", CONTEXT)
    assert not may(epoch, SUPPORT, "kms:Encrypt", CONTEXT)
    for kind in ("operator", "person", "system"):
        assert not may(epoch, SUPPORT, "kms:Decrypt", CONTEXT | {"mandant:kind": kind})


@pytest.mark.parametrize("who", [HUMAN, PIPELINE, OPERATIONS])
@pytest.mark.parametrize("action", [*USES, "kms:GenerateDataKeyPair", "kms:ReplicateKey"])
def test_no_administrator_uses_an_epochs_key_whatever_iam_allows(
    epoch: dict[str, Any], who: str, action: str
) -> None:
    assert not may(epoch, who, action, CONTEXT)


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:CreateGrant", "kms:ScheduleKeyDeletion"])
def test_a_grant_added_by_mistake_is_still_denied(epoch: dict[str, Any], action: str) -> None:
    mistake = {"Effect": "Allow", "Principal": {"AWS": HUMAN}, "Action": "kms:*", "Resource": "*"}

    assert not may({"Statement": [*epoch["Statement"], mistake]}, HUMAN, action, CONTEXT)


@pytest.mark.parametrize("who", [HUMAN, PIPELINE, OPERATIONS, APPLICATION, SUPPORT])
def test_nobody_takes_a_deletion_back(epoch: dict[str, Any], storage: dict[str, Any], who: str) -> None:
    assert not may(epoch, who, "kms:CancelKeyDeletion")
    assert not may(storage, who, "kms:CancelKeyDeletion")


def test_a_deletion_is_denied_to_be_taken_back_in_so_many_words(epoch: dict[str, Any]) -> None:
    denies = [one for one in epoch["Statement"] if "kms:CancelKeyDeletion" in _listed(one["Action"])]

    assert [(one["Effect"], one["Principal"], "Condition" in one) for one in denies] == [("Deny", "*", False)]


@pytest.mark.parametrize("action", ["kms:DisableKey", "kms:EnableKey", "kms:ScheduleKeyDeletion"])
def test_only_the_epochs_roll_ends_an_epochs_key(epoch: dict[str, Any], action: str) -> None:
    assert may(epoch, OPERATIONS, action)
    for who in (HUMAN, PIPELINE, APPLICATION, SUPPORT):
        assert not may(epoch, who, action)


def test_only_the_pipeline_changes_the_policy(epoch: dict[str, Any], storage: dict[str, Any]) -> None:
    for policy in (epoch, storage):
        assert may(policy, PIPELINE, "kms:PutKeyPolicy")
        for who in (HUMAN, APPLICATION, SUPPORT, OPERATIONS):
            assert not may(policy, who, "kms:PutKeyPolicy")


def test_no_statement_allows_by_wildcard_or_exception(epoch: dict[str, Any], storage: dict[str, Any]) -> None:
    for statement in [*epoch["Statement"], *storage["Statement"]]:
        assert {"NotAction", "NotPrincipal", "NotResource"}.isdisjoint(statement)
        if statement["Effect"] == "Allow":
            assert statement["Principal"] != "*"
            assert {"*", "kms:*"}.isdisjoint(_listed(statement["Action"]))


def test_the_storage_key_is_used_through_storage_services_only(storage: dict[str, Any]) -> None:
    for action in USES:
        assert not may(storage, HUMAN, action)
        assert not may(storage, APPLICATION, action, CONTEXT)


def test_roles_are_taken_on_by_services_never_by_people(template: dict[str, Any]) -> None:
    roles = [one for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]

    assert len(roles) == 5
    for role in roles:
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}
            assert "Condition" in statement


def test_role_policies_use_other_accounts_keys_only(template: dict[str, Any]) -> None:
    policies = [one for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    uses = [
        statement
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "kms:Decrypt" in _listed(statement["Action"])
    ]

    assert uses
    for statement in uses:
        assert statement["Condition"] == {
            "StringNotEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}
        }
