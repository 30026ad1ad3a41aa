"""What the API shows of one customer."""

from typing import Any

from mandant.service.tour.stage import Stage
from mandant.service.tour.telling import Teller

NAME = "What the API shows"
PROMISE = "A member sees a customer as a record with its fields; nothing of the sealing is in the way."


async def walk(stage: Stage, tell: Teller) -> None:
    company = stage.companies["alpenglut"]
    listed = await company.api.need("GET", f"{company.base}?limit=50")
    one = next(item for item in listed["items"] if _is_full(item["record"]))
    stage.shown = one["id"]
    tell.command(f"GET .../modules/customers/records/{one['id']}")
    answer = await company.api.get(f"{company.base}/{one['id']}")
    record = answer.json["record"]
    tell.output(_lines(record))
    tell.proves(
        f"answered {answer.status}, version {answer.json['version']}, with every field",
        answer.status == 200 and answer.json == one,
    )


def _is_full(record: dict[str, Any]) -> bool:
    """Has it enough to look at?"""
    return all(record[name] for name in ("addresses", "emails", "phones", "birthday", "last_name"))


def _lines(record: dict[str, Any]) -> list[str]:
    address, email = record["addresses"][0], record["emails"][0]
    phones = ", ".join(phone["number"] for phone in record["phones"])
    name = " ".join(filter(None, (record["first_name"], record["last_name"], record["company"])))
    return [
        f"name      {name}",
        f"address   {address['street']}, {address['postcode']} {address['city']}",
        f"e-mail    {email['address']}",
        f"phone     {phones}",
        f"birthday  {record['birthday']}",
    ]
