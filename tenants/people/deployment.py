"""What the functions of this package work with."""

from dataclasses import dataclass
from datetime import timedelta

from mandant.tenants.database import DataDatabase
from mandant.tenants.people.passwords import Passwords
from mandant.vault.clock import Clock
from mandant.vault.control import ControlDatabase
from mandant.vault.keyring import Keyring
from mandant.vault.kms.provider import KeyProvider


@dataclass(frozen=True, slots=True)
class People:
    """Databases, keys and clock of the process, and how sign-in is set.

    `session_length`: when a sign-in ends, whatever happens in between; an idle one ends after half an hour.
    `refusal_seconds`: what a refused sign-in takes at least.
    """

    data: DataDatabase
    control: ControlDatabase
    keyring: Keyring
    provider: KeyProvider
    clock: Clock
    passwords: Passwords
    session_length: timedelta = timedelta(hours=12)
    refusal_seconds: float = 0.4
