"""Key management services: the keys that wrap the scope keys. `local` for one machine, `aws` for production.

Example::

    provider = AwsKeyProvider(region="eu-central-2")
    key_ref = await provider.create_key({"mandant:epoch": "2026-11"}, "mandant, November 2026")
    answer = await provider.encrypt(key_ref, scope_key, encryption_context)
    ...
    answer = await provider.decrypt(key_ref, answer.value, encryption_context)
"""

from mandant.vault.kms.provider import Answer, KeyProvider, KmsKeyState

__all__ = ["Answer", "KeyProvider", "KmsKeyState"]
