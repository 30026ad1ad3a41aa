"""Two companies register through the public API, like anybody."""

from mandant.service.demo.companies import COMPANIES
from mandant.service.demo.loading import settle, sign_in
from mandant.service.tour.stage import Company, Stage
from mandant.service.tour.telling import Teller

NAME = "Two companies register"
PROMISE = "Whoever registers becomes the owner of a tenant; a colleague joins by invitation. (C4.2)"


async def walk(stage: Stage, tell: Teller) -> None:
    for company in COMPANIES:
        tell.command(f"POST /api/v1/register   {company.owner.name}, {company.name}")
        api = await settle(stage.client, company, stage.sign_ins, lambda _: None)
        known = stage.sign_ins.of(company.key)
        stage.companies[company.key] = Company(company, str(known.tenant_id), api)
        member = await sign_in(stage.client, company.member, known.member_password)
        me = None if member is None else await member.need("GET", "/me")
        joined = [] if me is None else [one for one in me["tenants"] if one["tenant_id"] == known.tenant_id]
        tell.output([f"tenant {known.tenant_id}"])
        tell.proves(
            f"{company.member.name} accepted an invitation and signs in as {joined[0]['role']}"
            if joined
            else f"{company.member.name} signs in",
            bool(joined) and joined[0]["role"] == "member",
        )
    again = await stage.client.post(
        "/sign-in", {"email": COMPANIES[0].owner.email, "password": "not the password"}
    )
    tell.proves(f"a wrong password is answered {again.status}", again.status == 401)
    tell.results[-1].figures["tenants"] = len(stage.companies)
