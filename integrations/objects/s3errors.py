"""What boto3 raises, in the port's words."""

import contextlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from mandant.tenants.objects import ObjectMissing, ObjectsRefused, ObjectsUnavailable

_THROTTLED = frozenset({"SlowDown", "Throttling", "RequestTimeout", "RequestTimeTooSkewed"})


@contextlib.contextmanager
def port_errors() -> Iterator[None]:
    """Messages carry S3's code and never the key or the bytes.

    Raises: ObjectMissing for a missing key only; ObjectsRefused where a person must act (denied,
    no credentials, no bucket); ObjectsUnavailable for the rest, a transfer cut midway included.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error) from error
    except NoCredentialsError as error:
        raise ObjectsRefused("S3 needs credentials: give the process a role or AWS_* variables") from error
    except BotoCoreError as error:
        raise ObjectsUnavailable(f"S3 did not answer in full ({type(error).__name__})") from error


def _translated(error: ClientError) -> ObjectMissing | ObjectsRefused | ObjectsUnavailable:
    code = error.response["Error"]["Code"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code == "NoSuchKey":
        return ObjectMissing("no such object in the bucket")
    if status >= 500 or status == 429 or code in _THROTTLED:
        return ObjectsUnavailable(f"S3 answered {code}")
    return ObjectsRefused(f"S3 answered {code}: check the bucket's name, the role and the bucket's policy")
