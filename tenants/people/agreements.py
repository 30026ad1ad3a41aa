"""Acceptance of the terms (AGB) and of the data-processing agreement (AVV): edition, who, when.

Source: C4.2, C5.3. It is contract data: kept as long as the contract, whoever leaves the company.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from mandant.tenants.errors import Invalid
from mandant.tenants.people.deployment import People
from mandant.tenants.people.person import Profile, read_person
from mandant.tenants.people.sealing import opened, sealed
from mandant.tenants.people.transaction import open_operator, open_person
from mandant.vault.category import Category
from mandant.vault.envelope import Place
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind

AgreementKind = Literal["terms", "dpa"]

EDITIONS: Mapping[AgreementKind, str] = {"terms": "2026-11", "dpa": "2026-11"}
"""The edition of each document that is in force: the one a registration has to name."""

EVIDENCE = Place("agreement", "evidence")


class Evidence(msgspec.Struct, frozen=True):
    """Who accepted, as that person was called on that day."""

    name: str
    email: str

    def __repr__(self) -> str:
        return "<evidence>"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One acceptance, opened."""

    kind: AgreementKind
    edition: str
    accepted_by: UUID
    accepted_at: datetime
    evidence: Evidence


def check_editions(accepted: Mapping[AgreementKind, str]) -> None:
    """Raises: Invalid when a document is missing or another edition than today's was accepted."""
    wrong = [
        (f"accepts.{kind}", f"accept the edition in force: {edition}")
        for kind, edition in EDITIONS.items()
        if accepted.get(kind) != edition
    ]
    if wrong:
        raise Invalid(wrong)


async def record_acceptance(
    connection: Any, keys: OpenScope, tenant_id: UUID, person_id: UUID, profile: Profile, at: datetime
) -> None:
    """Both documents, in the tenant's transaction; an edition accepted before stays as it was.

    `keys`: the operator scope.
    """
    for kind, edition in EDITIONS.items():
        agreement_id = uuid7()
        evidence = sealed(
            keys, EVIDENCE, agreement_id, 1, Evidence(profile.name, profile.email), Category.CONTRACT
        )
        await connection.execute(
            "INSERT INTO mandant.agreement"
            " (tenant_id, agreement_id, kind, edition, accepted_by, accepted_at, sealed)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, kind, edition) DO NOTHING",
            tenant_id,
            agreement_id,
            kind,
            edition,
            person_id,
            at,
            evidence,
        )


async def accept(
    people: People, tenant_id: UUID, person_id: UUID, accepted: Mapping[AgreementKind, str]
) -> None:
    """A new edition, accepted for the tenant by one of its owners (the caller checks the role).

    Raises: Invalid; as open_session.
    """
    check_editions(accepted)
    async with open_person(people.data, people.keyring, person_id) as own:
        profile = (await read_person(own)).profile
    async with open_operator(people, tenant_id, write=True) as session:
        keys = session.keys(ScopeKind.OPERATOR)
        await record_acceptance(session.connection, keys, tenant_id, person_id, profile, people.clock.now())


async def list_agreements(people: People, tenant_id: UUID) -> list[Agreement]:
    """All acceptances of the tenant, newest first. Raises: as open_session."""
    async with open_operator(people, tenant_id) as session:
        rows = await session.connection.fetch(
            "SELECT agreement_id, kind, edition, accepted_by, accepted_at, sealed FROM mandant.agreement"
            " WHERE tenant_id = $1 ORDER BY accepted_at DESC, kind",
            tenant_id,
        )
        keys = session.keys(ScopeKind.OPERATOR)
        return [
            Agreement(
                row["kind"],
                row["edition"],
                row["accepted_by"],
                row["accepted_at"],
                opened(keys, EVIDENCE, row["agreement_id"], 1, row["sealed"], Evidence, Category.CONTRACT),
            )
            for row in rows
        ]
