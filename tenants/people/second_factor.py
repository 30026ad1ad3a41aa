"""The second factor: six digits from an app (TOTP), or one of ten recovery codes. Source: C11; RFC 6238.

    secret = await begin(people, person)                # shown as a QR code
    codes = await confirm(people, person, password, "123456")   # on from here; shown once

Every user can switch it on at any time. A code is good once.
"""

from base64 import b32encode
from datetime import datetime
from hashlib import blake2b
from hmac import compare_digest
from hmac import digest as hmac_digest
from urllib.parse import quote

import msgspec
from nacl.utils import random

from mandant.tenants.errors import Invalid, StaleVersion
from mandant.tenants.people.code_tries import counted, require_no_wait
from mandant.tenants.people.deployment import People
from mandant.tenants.people.errors import SecondFactorState
from mandant.tenants.people.person import Credentials, change_credentials, read_person
from mandant.tenants.people.sessions import end_sessions
from mandant.tenants.people.transaction import open_person
from mandant.tenants.people.who import CurrentPerson

STEP = 30  # seconds
DIGITS = 6
RECOVERY_CODES = 10
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 letters: five bits each


def code_at(secret: bytes, step: int) -> str:
    """The six digits of a step (seconds since 1970, divided by 30). HMAC-SHA-1: what every app computes."""
    mac = hmac_digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def used(credentials: Credentials, code: str, at: datetime) -> Credentials | None:
    """The credentials after `code` was used; None when it is wrong, late or was used before.

    A code of the step before or after counts too: clocks differ.
    """
    typed = code.replace(" ", "").replace("-", "").upper()
    if credentials.totp is None:
        return None
    step = matching_step(credentials.totp, typed, at)
    if step is not None:
        return None if step <= credentials.last_step else msgspec.structs.replace(credentials, last_step=step)
    hashed = _hashed(typed)
    left = tuple(one for one in credentials.recovery if not compare_digest(one, hashed))
    return (
        None
        if len(left) == len(credentials.recovery)
        else msgspec.structs.replace(credentials, recovery=left)
    )


def tried(credentials: Credentials, code: str, at: datetime) -> tuple[Credentials, bool]:
    """The credentials to store after this code, and whether it was right.

    Whoever asks holds the row from before until they are stored: one code is never used twice at once, and
    no wrong one goes uncounted. Raises: CodesWait, without a look at the code.
    """
    require_no_wait(credentials, at)
    afterwards = used(credentials, code, at)
    if afterwards is None:
        return counted(credentials, at), False
    return msgspec.structs.replace(afterwards, wrong_codes=0, wait_until=None), True


def matching_step(secret: bytes, code: str, at: datetime) -> int | None:
    """The step around `at` whose code this is."""
    now = int(at.timestamp()) // STEP
    for step in (now, now - 1, now + 1):
        if compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def address(secret: bytes, email: str, issuer: str = "mandant") -> str:
    """The `otpauth:` address that authenticator apps read from a QR code."""
    label = quote(f"{issuer}:{email}")
    return f"otpauth://totp/{label}?secret={b32encode(secret).decode()}&issuer={quote(issuer)}"


async def begin(people: People, who: CurrentPerson) -> tuple[str, str]:
    """A new secret that is not asked for yet: (base32, otpauth address). Raises: SecondFactorState."""
    async with open_person(people.data, people.keyring, who.person_id) as session:
        person = await read_person(session)
        if person.credentials.totp is not None:
            raise SecondFactorState("the second factor is on; switch it off first")
        pending = random(20)
        credentials = msgspec.structs.replace(person.credentials, pending=pending)
        await change_credentials(session, person, credentials, people.clock.now())
    return b32encode(pending).decode(), address(pending, person.profile.email)


async def confirm(people: People, who: CurrentPerson, password: str, code: str) -> list[str]:
    """Switch it on: `code` proves that the app has the secret. Returns the recovery codes.

    The password too: with a session alone a thief would lock the owner out, who has no code.
    Every other session of the person ends. Raises: Invalid, SecondFactorState.
    """
    at = people.clock.now()
    codes = ["".join(_ALPHABET[byte % 32] for byte in random(16)) for _ in range(RECOVERY_CODES)]
    async with open_person(people.data, people.keyring, who.person_id) as session:
        person = await read_person(session)
    if person.credentials.pending is None:
        raise SecondFactorState("begin with the second factor first")
    right = await people.passwords.matches(person.credentials.password_hash, password)
    step = matching_step(person.credentials.pending, code.replace(" ", ""), at)
    if not right or step is None:
        raise Invalid([("", "the password or the code is not right")])
    credentials = msgspec.structs.replace(
        person.credentials,
        totp=person.credentials.pending,
        pending=None,
        last_step=step,
        recovery=tuple(_hashed(one) for one in codes),
    )
    async with open_person(people.data, people.keyring, who.person_id) as session:
        await change_credentials(session, person, credentials, at)
        await end_sessions(session, but=who.session_id)
    return ["-".join(one[i : i + 4] for i in range(0, 16, 4)) for one in codes]


async def switch_off(people: People, who: CurrentPerson, password: str, code: str) -> None:
    """Needs the password and a code. Raises: Invalid, CodesWait, SecondFactorState."""
    at = people.clock.now()
    async with open_person(people.data, people.keyring, who.person_id) as session:
        person = await read_person(session)
    if person.credentials.totp is None:
        raise SecondFactorState("the second factor is off")
    right = await people.passwords.matches(person.credentials.password_hash, password)
    if right:
        async with open_person(people.data, people.keyring, who.person_id) as session:
            now = await read_person(session, hold=True)
            if not now.credentials.asks_as(person.credentials):
                raise StaleVersion
            credentials, right = tried(now.credentials, code, at)
            if right:
                credentials = Credentials(now.credentials.password_hash)
                await end_sessions(session, but=who.session_id)
            await change_credentials(session, now, credentials, at)
    if not right:
        raise Invalid([("", "the password or the code is not right")])


def _hashed(code: str) -> bytes:
    """80 random bits need no slow hash."""
    return blake2b(code.encode(), digest_size=32, person=b"mandant/recov/1").digest()
