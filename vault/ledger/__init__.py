"""One append-only log an owner, that nobody can shorten or rewrite unseen. Specified in vault/FORMAT.md.

Example::

    async with control.transaction() as connection:
        await open_ledger(connection, owner, signers.newest, now)
        done = await append(connection, owner, key, [Entry("day", {})], now)
    checkpoint = await sign_checkpoint(control, signers, owner, now)
    # write_bundle -> a file; read_bundle, verify_bundle: offline
"""

from mandant.vault.ledger.bundle import verifier_keys, write_bundle
from mandant.vault.ledger.bundle_file import read_bundle
from mandant.vault.ledger.checkpoint import Checkpoint
from mandant.vault.ledger.leaf import Entry
from mandant.vault.ledger.log import Appended, append, hand_over, open_ledger
from mandant.vault.ledger.nodes import consistency_proof, inclusion_proof
from mandant.vault.ledger.signers import Signers, add_signer, ensure_signer, load_signers, public_keys
from mandant.vault.ledger.signing import newest_checkpoint, prove, sign_checkpoint
from mandant.vault.ledger.verify import verify_bundle

__all__ = [
    "Appended",
    "Checkpoint",
    "Entry",
    "Signers",
    "add_signer",
    "append",
    "consistency_proof",
    "ensure_signer",
    "hand_over",
    "inclusion_proof",
    "load_signers",
    "newest_checkpoint",
    "open_ledger",
    "prove",
    "public_keys",
    "read_bundle",
    "sign_checkpoint",
    "verifier_keys",
    "verify_bundle",
    "write_bundle",
]
