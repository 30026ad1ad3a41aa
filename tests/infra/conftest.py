"""The CloudFormation template, as text, as a document, and deployed on moto's server over a real socket."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

REGION = "eu-central-2"
INFRA = Path(__file__).parents[2] / "infra"


# What moto 5.2 stumbles over in a right template, and what it is given instead.
_FOR_MOTO = {
    # It looks for TagKey in a key's tags: the key is tagged after it was made.
    '      Tags: [{ Key: "mandant:epoch", Value: "1" }]\n': "",
    # It hands the group's object on in place of its name.
    "      DBParameterGroupName: !Ref DatabaseParameters\n": "",
}


def _function(loader: Any, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name == "Ref" else f"Fn::{name}"
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    return {key: loader.construct_scalar(node)}


# YAML with CloudFormation's short functions: `!Ref X` reads as {"Ref": "X"}, `!Sub` as {"Fn::Sub": ...}.
_Loader: Any = type("_Loader", (yaml.SafeLoader,), {})
_Loader.add_multi_constructor("!", _function)


@dataclass(frozen=True)
class Stack:
    """What was deployed: where, and the template's outputs."""

    session: boto3.Session
    endpoint: str
    outputs: dict[str, str]


@pytest.fixture(scope="session")
def infra() -> Path:
    return INFRA


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template with its functions as plain dictionaries."""
    loaded: dict[str, Any] = yaml.load((INFRA / "aws" / "mandant.yaml").read_text(), _Loader)  # noqa: S506 - safe
    return loaded


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The template deployed, with a network made for it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    # All moto servers of a process share one account: keys that other tests made would be found here.
    urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")).close()  # noqa: S310 - our own server
    session = boto3.Session("testing", "testing", region_name=REGION)
    try:
        with warnings.catch_warnings():
            # Bucket policies, backups, trail and alarms: moto says that it leaves them out.
            warnings.filterwarnings("ignore", "Tried to parse AWS::", UserWarning)
            outputs = _deploy(session, endpoint)
        yield Stack(session, endpoint, outputs)
    finally:
        server.stop()


def _deploy(session: boto3.Session, endpoint: str) -> dict[str, str]:
    ec2 = session.client("ec2", endpoint_url=endpoint)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{part}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for part, zone in enumerate("ab")
    ]
    parameters = {
        "VpcId": vpc,
        "PrivateSubnetIds": ",".join(subnet["Subnet"]["SubnetId"] for subnet in subnets),
        "KeyPolicyRoleArn": "arn:aws:iam::123456789012:role/pipeline",
        "AlarmEmail": "on-call@example.com",
    }
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    text = (INFRA / "aws" / "mandant.yaml").read_text()
    for written, instead in _FOR_MOTO.items():
        assert written in text
        text = text.replace(written, instead)
    cloudformation.create_stack(
        StackName="mandant",
        TemplateBody=text,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    made = cloudformation.describe_stacks(StackName="mandant")["Stacks"][0]
    assert made["StackStatus"] == "CREATE_COMPLETE"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}
    kms = session.client("kms", endpoint_url=endpoint)
    kms.tag_resource(KeyId=outputs["EpochKeyArn"], Tags=[{"TagKey": "mandant:epoch", "TagValue": "1"}])
    # moto keeps a template's key policy as a dictionary and falls over it when the key is described.
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    for key in ("EpochKeyArn", "StorageKeyArn"):
        kms.put_key_policy(KeyId=outputs[key], PolicyName="default", Policy=policy)
    return outputs
