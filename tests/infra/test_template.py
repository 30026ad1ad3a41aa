"""The template as a document: what cfn-lint says, and what the notices ask of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def _of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def test_cfn_lint_finds_nothing(infra: Path) -> None:
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, "--regions", "eu-central-2", "--", "aws/mandant.yaml"]
    done = subprocess.run(command, cwd=infra, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_bucket_is_private_encrypted_and_speaks_tls_only(template: dict[str, Any]) -> None:
    buckets = _of_type(template, "AWS::S3::Bucket")
    policies = {
        one["Properties"]["Bucket"]["Ref"]: one["Properties"]["PolicyDocument"]["Statement"]
        for one in _of_type(template, "AWS::S3::BucketPolicy").values()
    }

    assert set(policies) == set(buckets) == {"ObjectsBucket", "BackupsBucket", "TrailBucket"}
    for name, bucket in buckets.items():
        said = bucket["Properties"]
        assert said["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert said["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        rule = said["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": "StorageKey.Arn"}
        assert said["VersioningConfiguration"] == {"Status": "Enabled"}
        denies = [one for one in policies[name] if one["Effect"] == "Deny"]
        assert [one["Condition"] for one in denies] == [
            {"Bool": {"aws:SecureTransport": "false"}},
            {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        ]
        for one in denies:
            assert (one["Principal"], one["Action"]) == ("*", "s3:*")
            assert one["Resource"] == [{"Fn::GetAtt": f"{name}.Arn"}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]
        for one in policies[name]:
            assert one["Effect"] == "Deny" or "Service" in one["Principal"]


def test_both_databases_survive_a_data_centre_and_a_mistake(template: dict[str, Any]) -> None:
    databases = _of_type(template, "AWS::RDS::DBInstance")

    assert set(databases) == {"DataDatabase", "ControlDatabase"}
    for database in databases.values():
        said = database["Properties"]
        assert said["MultiAZ"]
        assert said["StorageEncrypted"]
        assert said["DeletionProtection"]
        assert said["PubliclyAccessible"] is False
        assert said["ManageMasterUserPassword"]
        assert "MasterUserPassword" not in said
        assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"


def test_databases_log_no_statement_and_no_parameter(template: dict[str, Any]) -> None:
    said = template["Resources"]["DatabaseParameters"]["Properties"]["Parameters"]

    assert (said["log_statement"], said["log_parameter_max_length"]) == ("none", "0")
    assert said["log_parameter_max_length_on_error"] == "0"
    assert said["rds.force_ssl"] == "1"


def test_the_trail_is_validated_encrypted_and_leaves_no_kms_call_out(template: dict[str, Any]) -> None:
    trail = template["Resources"]["Trail"]["Properties"]

    assert trail["IsLogging"]
    assert trail["EnableLogFileValidation"]
    assert trail["KMSKeyId"] == {"Fn::GetAtt": "StorageKey.Arn"}
    for selector in trail["EventSelectors"]:
        assert selector["ReadWriteType"] == "All"
        assert selector["IncludeManagementEvents"]
        assert "ExcludeManagementEventSources" not in selector


def test_every_filter_has_an_alarm_that_wakes_somebody(template: dict[str, Any]) -> None:
    metrics = {
        one["Properties"]["MetricTransformations"][0]["MetricName"]
        for one in _of_type(template, "AWS::Logs::MetricFilter").values()
    }
    alarms = _of_type(template, "AWS::CloudWatch::Alarm").values()

    assert {
        "KeyDeletionScheduled",
        "KeyDisabled",
        "KeyUseDenied",
        "KeyPolicyChanged",
        "ContainerTakenOver",
        "ServerErrors",
    } < metrics
    assert metrics == {
        one["Properties"]["MetricName"] for one in alarms if one["Properties"]["Namespace"] != "AWS/RDS"
    }
    for alarm in alarms:
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_server_logs_end_after_thirty_days(template: dict[str, Any]) -> None:
    """C16.2."""
    assert template["Resources"]["ApplicationLogs"]["Properties"]["RetentionInDays"] == 30


def test_keys_and_buckets_outlive_the_stack(template: dict[str, Any]) -> None:
    for kind in ("AWS::KMS::Key", "AWS::S3::Bucket"):
        for one in _of_type(template, kind).values():
            assert one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain"
