"""Seal and open a record of 1 KiB, with derivation, commitment and binding, against what others do.

PyNaCl's bare call only encrypts; Fernet and AES-GCM in the SQLAlchemy types bind and commit to nothing;
the AWS Encryption SDK commits and binds a context, here with its data key cached and without signatures.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from os import urandom
from uuid import UUID

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place, open_, seal
from tests.benchmarks.figure import Figure, Pair, interleave

Runs = dict[str, Callable[[], object]]
TARGETS = {
    "PyNaCl's bare XChaCha20-Poly1305": 1.5,
    "advanced-alchemy's EncryptedText (Fernet)": 1.0,
    "sqlalchemy-utils' AesGcmEngine": 1.0,
    "AWS Encryption SDK 4, cached key": 1.0,
}
RECORD = "x" * 1024


def figures(*, rounds: int, seconds: float) -> list[Figure]:
    """Eight figures, in microseconds: seal and open against each of four peers."""
    sealing, opening = _runs()
    return [
        Figure.at_most(
            f"{verb} a record of 1 KiB / {peer}", Pair.of(values["ours"], values[peer], "us"), target
        )
        for verb, values in (
            ("seal", interleave(sealing, rounds=rounds, seconds=seconds)),
            ("open", interleave(opening, rounds=rounds, seconds=seconds)),
        )
        for peer, target in TARGETS.items()
    ]


def _runs() -> tuple[Runs, Runs]:
    """Ours and each peer's seal, and open."""
    sealing: Runs = {}
    opening: Runs = {}
    peers = (_ours, _pynacl, _fernet, _aes_gcm, _aws)
    for name, peer in zip(("ours", *TARGETS), peers, strict=True):
        sealing[name], opening[name] = peer()
        opened = opening[name]()
        assert opened in (RECORD, RECORD.encode()), name
    return sealing, opening


def _ours() -> tuple[Callable[[], object], Callable[[], object]]:
    key = DataKey(UUID(int=1), Category.MODULE, 1, urandom(32))
    place, row, plaintext = Place("customers", "record"), UUID(bytes=urandom(16)), RECORD.encode()
    sealed = seal(key, place, row, 1, plaintext)
    return lambda: seal(key, place, row, 1, plaintext), lambda: open_(key, place, row, 1, sealed)


def _pynacl() -> tuple[Callable[[], object], Callable[[], object]]:
    key, nonce, plaintext = urandom(32), urandom(24), RECORD.encode()
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, None, nonce, key)
    return (
        lambda: crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, None, nonce, key),
        lambda: crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, nonce, key),
    )


def _fernet() -> tuple[Callable[[], object], Callable[[], object]]:
    from advanced_alchemy.types.encrypted_string import FernetBackend

    backend = FernetBackend()
    backend.mount_vault(urandom(32))
    sealed = backend.encrypt(RECORD)
    return lambda: backend.encrypt(RECORD), lambda: backend.decrypt(sealed)


def _aes_gcm() -> tuple[Callable[[], object], Callable[[], object]]:
    from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine

    engine = AesGcmEngine()
    engine._update_key(urandom(32))
    sealed = engine.encrypt(RECORD)
    return lambda: engine.encrypt(RECORD), lambda: engine.decrypt(sealed)


def _aws() -> tuple[Callable[[], object], Callable[[], object]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own imports warn
        import aws_encryption_sdk as sdk
        from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
        from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
        from aws_encryption_sdk.key_providers.raw import RawMasterKey

        wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=urandom(32),
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )
        materials = sdk.CachingCryptoMaterialsManager(
            master_key_provider=RawMasterKey(provider_id="local", key_id=b"k", wrapping_key=wrapping_key),
            cache=sdk.LocalCryptoMaterialsCache(capacity=10),
            max_age=3600.0,
        )
        client = sdk.EncryptionSDKClient(
            commitment_policy=sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        )
    plaintext, context = RECORD.encode(), {"record": "1"}

    def encrypt() -> bytes:
        sealed, _header = client.encrypt(
            source=plaintext,
            materials_manager=materials,
            encryption_context=context,
            algorithm=sdk.Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        )
        return bytes(sealed)

    sealed = encrypt()
    return encrypt, lambda: client.decrypt(source=sealed, materials_manager=materials)[0]
