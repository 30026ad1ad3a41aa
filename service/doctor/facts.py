"""Whether data has seen every fact of control: whoever is behind is answered 503."""

from collections.abc import AsyncIterator

from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.doctor.patient import Patient
from mandant.tenants.behind import differences
from mandant.tenants.database import DataDatabase
from mandant.vault.control import ControlDatabase

PART = "facts"


async def check_facts(patient: Patient) -> AsyncIterator[Line]:
    """All tenants and persons, by number only."""
    patient.connection("data", "mandant_worker")
    data = await DataDatabase.open(patient.url("data", "mandant_worker"), size=1)
    try:
        control = await ControlDatabase.open(patient.url("control", "mandant_worker"), size=1)
        try:
            found = [one async for one in differences(control, data)]
        finally:
            await control.close()
    finally:
        await data.close()
    behind = sum(one.behind for one in found)
    if behind:
        todo = "a running worker replays them within a minute; if it does not, update mandant"
        yield warning(PART, "behind control", f"{behind} tenants and persons are not served", todo)
    if behind < len(found):
        todo = "control was restored backwards, which it never may be: put its newest state back"
        yield wrong(PART, "ahead of control", f"{len(found) - behind} tenants and persons", todo)
    if not found:
        yield ok(PART, "data", "has seen every fact of control")
