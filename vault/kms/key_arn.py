"""A KMS key's ARN, taken apart: a tenant hands us one, and its region becomes part of a host name."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["KeyArn", "parse_key_arn"]

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):kms:(?P<region>[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]):(?P<account>[0-9]{12}):"
    r"key/(?P<key_id>(?:mrk-)?[0-9a-f-]{32,36})"
)


@dataclass(frozen=True, slots=True)
class KeyArn:
    """`arn:partition:kms:region:account:key/key_id`. No aliases: their owner can point them elsewhere."""

    partition: str
    region: str
    account: str
    key_id: str


def parse_key_arn(text: str) -> KeyArn:
    """Raises: ValueError unless `text` is the ARN of a KMS key."""
    match = _ARN.fullmatch(text)
    if match is None:
        raise ValueError(
            "not the ARN of a KMS key, such as "
            "arn:aws:kms:eu-central-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        )
    return KeyArn(**match.groupdict())
