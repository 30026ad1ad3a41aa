"""What an error of AWS KMS means to us.

Source: AWS KMS API Reference, Common Errors and the errors of Encrypt, Decrypt and DescribeKey.
"""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from mandant.vault.kms.errors import (
    KmsDenied,
    KmsDisabled,
    KmsError,
    KmsGone,
    KmsPendingDeletion,
    KmsThrottled,
    KmsTimeout,
    KmsUnavailable,
    KmsWrongContext,
)

__all__ = ["kms_error"]

_CODES: dict[str, type[KmsError]] = {
    "AccessDenied": KmsDenied,
    "AccessDeniedException": KmsDenied,
    "ExpiredToken": KmsDenied,
    "ExpiredTokenException": KmsDenied,
    "IncompleteSignature": KmsDenied,
    "InvalidClientTokenId": KmsDenied,
    "InvalidGrantTokenException": KmsDenied,
    "InvalidKeyUsageException": KmsDenied,
    "InvalidSignatureException": KmsDenied,
    "NotAuthorized": KmsDenied,
    "OptInRequired": KmsDenied,
    "UnrecognizedClientException": KmsDenied,
    "DisabledException": KmsDisabled,
    "NotFoundException": KmsGone,
    "IncorrectKeyException": KmsWrongContext,
    "InvalidCiphertextException": KmsWrongContext,
    "LimitExceededException": KmsThrottled,
    "RequestLimitExceeded": KmsThrottled,
    "Throttling": KmsThrottled,
    "ThrottlingException": KmsThrottled,
    "TooManyRequestsException": KmsThrottled,
    "DependencyTimeoutException": KmsUnavailable,
    "InternalFailure": KmsUnavailable,
    "KMSInternalException": KmsUnavailable,
    "KeyUnavailableException": KmsUnavailable,
    "ServiceUnavailable": KmsUnavailable,
}


def kms_error(error: ClientError | BotoCoreError) -> KmsError:
    """The KmsError that says what `error` means; KmsError itself, which is never bridged, for the unknown.

    The message names AWS's error code, never the request: botocore's own text may quote its parameters.
    """
    if isinstance(error, ClientError):
        return _of_answer(error)
    name = type(error).__name__
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return KmsTimeout(f"AWS KMS: {name}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return KmsDenied(f"AWS KMS: {name}")
    if isinstance(
        error, BotoConnectionError | HTTPClientError | ResponseParserError | CredentialRetrievalError
    ):
        return KmsUnavailable(f"AWS KMS: {name}")
    return KmsError(f"AWS KMS: {name}")


def _of_answer(error: ClientError) -> KmsError:
    answer = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    metadata = answer.get("ResponseMetadata", {})
    request_id = metadata.get("RequestId", "")
    message = f"AWS KMS: {code}"
    if code == "KMSInvalidStateException":
        # The other states (imported material removed, key store disconnected) are an owner's decision too.
        pending = "pending deletion" in str(answer.get("Error", {}).get("Message", "")).lower()
        return (KmsPendingDeletion if pending else KmsDisabled)(message, request_id)
    kind = _CODES.get(code)
    if kind is None and metadata.get("HTTPStatusCode", 0) == 429:
        kind = KmsThrottled
    if kind is None and metadata.get("HTTPStatusCode", 0) >= 500:
        kind = KmsUnavailable
    return (kind or KmsError)(message, request_id)
