"""Brings a company of the demo to life through the public API. What is there already stays as it is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mandant.service.demo.client import Answer, Client
from mandant.service.demo.companies import DemoCompany, Somebody
from mandant.service.demo.importing import import_file
from mandant.service.demo.sign_ins import CompanySignIns, SignIns

__all__ = ["DemoBlocked", "Loaded", "load", "settle", "sign_in"]

Say = Callable[[str], None]


class DemoBlocked(Exception):
    """The demo cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Loaded:
    """A company that is there: its tenant, an API token's client, how many customers it has."""

    company: DemoCompany
    tenant_id: str
    api: Client
    customers: int
    new: bool


async def load(client: Client, company: DemoCompany, sign_ins: SignIns, say: Say) -> Loaded:
    """Register, invite, import: each step that is not done yet.

    Raises: DemoBlocked; Refused by the API; OSError.
    """
    known = sign_ins.of(company.key)
    new = known.token is None
    api = await settle(client, company, sign_ins, say)
    for path in company.files:
        if path.name not in known.imported:
            done = await import_file(api, str(known.tenant_id), path.read_bytes(), path.name)
            if done["state"] != "done":
                raise DemoBlocked(f"the import of {path.name} {done['state']}: {done['stopped']}")
            rows = done["progress"]
            say(f"  {path.name}: {rows['created']} customers imported, {rows['refused']} rows refused")
            known.imported.append(path.name)
            sign_ins.save()
            new = True
    count = await api.need("GET", f"/tenants/{known.tenant_id}/modules/customers/records/count")
    return Loaded(company, str(known.tenant_id), api, count["count"], new)


async def settle(client: Client, company: DemoCompany, sign_ins: SignIns, say: Say) -> Client:
    """The company without its files: registered, its member joined. Returns a client that acts as admin.

    Raises: as load.
    """
    known = sign_ins.of(company.key)
    api = await _with_token(client, known)
    if api is not None and known.member_joined:
        return api
    owner = await _registered(client, company, known, say)
    if known.token is None:
        made = await owner.need(
            "POST", f"/tenants/{known.tenant_id}/tokens", {"name": "demo", "role": "admin", "days": 365}
        )
        known.token = made["secret"]
        sign_ins.save()
    if not known.member_joined:
        await _join(client, owner, company, sign_ins)
    return client.signed(str(known.token))


async def sign_in(client: Client, who: Somebody, password: str) -> Client | None:
    """A session, or None where the address or the password is refused. Waits where it was tried too often."""
    while True:
        answer = await client.post("/sign-in", {"email": who.email, "password": password})
        if answer.status == 429:
            await asyncio.sleep(int(answer.headers.get("retry-after", "10")))
            continue
        if answer.status == 401:
            return None
        return client.signed(client.accepted(answer, "POST", "/sign-in")["token"])


async def _with_token(client: Client, known: CompanySignIns) -> Client | None:
    """The API token of an earlier run, if it is still good in this database."""
    if known.token is None:
        return None
    api = client.signed(known.token)
    answer: Answer = await api.get(f"/tenants/{known.tenant_id}/modules/customers/records/count")
    if answer.status != 200:
        known.token = None
        return None
    return api


async def _registered(client: Client, company: DemoCompany, known: CompanySignIns, say: Say) -> Client:
    """The owner, signed in. Registering an address a second time makes nothing and says the same."""
    about = {
        "name": company.name,
        "domain": company.domain,
        "country": "CH",
        "head_count": company.head_count,
    }
    registration = {
        "name": company.owner.name,
        "email": company.owner.email,
        "password": known.owner_password,
        "language": company.language,
        "function": company.owner.function,
        "company": about,
        "accepts": await client.need("GET", "/agreements"),
    }
    await client.need("POST", "/register", registration)
    owner = await sign_in(client, company.owner, known.owner_password)
    if owner is None:
        raise DemoBlocked(
            f"{company.owner.email} is registered here with a password that the demo does not know. Bring "
            "back demo/sign-ins.json, or start with an empty folder: MANDANT_VAR=another make demo"
        )
    tenant_id = (await owner.need("GET", "/me"))["tenants"][0]["tenant_id"]
    if tenant_id != known.tenant_id:
        known.start_again(tenant_id)
        say(f"{company.name}: registered, with {company.owner.name} as owner")
    return owner


async def _join(client: Client, owner: Client, company: DemoCompany, sign_ins: SignIns) -> None:
    """The member, by an invitation that the owner makes and the member accepts."""
    known, member = sign_ins.of(company.key), company.member
    if not known.invited or await sign_in(client, member, known.member_password) is None:
        made = await owner.need(
            "POST",
            f"/tenants/{known.tenant_id}/invitations",
            {"email": member.email, "role": "member", "function": member.function},
        )
        known.invited = True
        sign_ins.save()
        await client.need(
            "POST",
            "/invitations/accept-as-newcomer",
            {
                "secret": made["secret"],
                "name": member.name,
                "password": known.member_password,
                "language": company.language,
            },
        )
    known.member_joined = True
    sign_ins.save()
