"""C4.2, C5.3: a user and a company, linked, with the agreements they accepted."""

import asyncio
from uuid import UUID

import pytest

from mandant.tenants.errors import Invalid, StaleVersion
from mandant.tenants.people import People, Registered, register, sign_in
from mandant.tenants.people.agreements import EDITIONS, accept, list_agreements
from mandant.tenants.people.company import Company, change_company, read_company
from mandant.tenants.people.errors import AddressTaken
from mandant.tenants.people.listing import companies, memberships_of
from mandant.tenants.people.registration import NewTenant, Registration, create_tenant_for
from mandant.tenants.people.roles import Role
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, a_newcomer, a_registration, an_address


async def test_registering_makes_a_person_a_tenant_and_its_owner(people: People) -> None:
    newcomer = await a_newcomer(people)

    stored = await read_company(people, newcomer.ids.tenant_id)
    assert stored.company == Company("Muster AG", "muster.example", "CH", 12)
    assert newcomer.member.role is Role.OWNER
    assert newcomer.member.person_id == newcomer.ids.person_id


async def test_it_records_which_editions_were_accepted_by_whom_and_when(people: People) -> None:
    newcomer = await a_newcomer(people)

    agreements = await list_agreements(people, newcomer.ids.tenant_id)

    assert {(one.kind, one.edition) for one in agreements} == set(EDITIONS.items())
    assert {one.accepted_by for one in agreements} == {newcomer.ids.person_id}
    assert {one.accepted_at for one in agreements} == {people.clock.now()}
    assert {one.evidence.email for one in agreements} == {newcomer.email}


async def test_an_edition_accepted_twice_stays_as_it_was_the_first_time(people: People) -> None:
    newcomer = await a_newcomer(people)

    await accept(people, newcomer.ids.tenant_id, newcomer.ids.person_id, dict(EDITIONS))

    assert len(await list_agreements(people, newcomer.ids.tenant_id)) == len(EDITIONS)


@pytest.mark.parametrize(
    "accepts", [{}, {"terms": EDITIONS["terms"]}, {"terms": "2019-01", "dpa": EDITIONS["dpa"]}]
)
async def test_without_todays_editions_nothing_is_made(
    people: People, stack: Stack, accepts: dict[str, str]
) -> None:
    wanted = a_registration(an_address())
    with pytest.raises(Invalid) as refused:
        await register(people, Registration(wanted.profile, PASSWORD, wanted.company, "", accepts))  # type: ignore[arg-type]
    assert all(problem.field.startswith("accepts.") for problem in refused.value.problems)


async def test_a_known_address_is_refused_however_it_is_written(people: People) -> None:
    newcomer = await a_newcomer(people)
    with pytest.raises(AddressTaken):
        await register(people, a_registration(f" {newcomer.email.upper()} "))


async def test_of_two_registrations_at_once_with_one_address_one_is_made(people: People) -> None:
    email = an_address()
    answers = await asyncio.gather(
        *(register(people, a_registration(email)) for _ in range(4)), return_exceptions=True
    )
    made = [one for one in answers if isinstance(one, Registered)]
    assert len(made) == 1
    assert all(isinstance(one, AddressTaken) for one in answers if one is not made[0])
    assert (await sign_in(people, email, PASSWORD)).person_id == made[0].person_id


async def test_a_refused_registration_leaves_no_row(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)
    connection = await stack.connect("postgres")
    try:
        counts = "SELECT (SELECT count(*) FROM mandant.tenant), (SELECT count(*) FROM mandant.person)"
        before = await connection.fetchrow(counts)
        with pytest.raises(AddressTaken):
            await register(people, a_registration(newcomer.email))
        assert await connection.fetchrow(counts) == before
    finally:
        await connection.close()


async def test_a_person_who_is_signed_in_makes_another_tenant(people: People) -> None:
    newcomer = await a_newcomer(people)

    second = await create_tenant_for(
        people,
        newcomer.ids.person_id,
        NewTenant(Company("Zweite GmbH", "zweite.example", "DE"), "", dict(EDITIONS)),
    )

    belongs = await memberships_of(people, newcomer.ids.person_id)
    assert [one.tenant_id for one in belongs] == [newcomer.ids.tenant_id, second]


async def test_the_companys_data_is_changed_with_its_version(people: People) -> None:
    newcomer = await a_newcomer(people)
    tenant_id: UUID = newcomer.ids.tenant_id

    changed = await change_company(people, tenant_id, 1, Company("Neu AG", "neu.example", "CH", 13))

    assert (changed.version, changed.company.name) == (2, "Neu AG")
    with pytest.raises(StaleVersion):
        await change_company(people, tenant_id, 1, changed.company)


async def test_the_operators_list_has_every_tenant_and_no_failed_registration(people: People) -> None:
    newcomer = await a_newcomer(people)
    with pytest.raises(AddressTaken):
        await register(people, a_registration(newcomer.email))

    listed = [one.tenant_id async for one in companies(people)]

    assert listed.count(newcomer.ids.tenant_id) == 1
