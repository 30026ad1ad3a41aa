"""The editions of terms and data-processing agreement that a registration has to accept. Source: C4.2."""

from collections.abc import AsyncIterator
from datetime import date

from mandant.service.doctor.line import Line, ok, wrong
from mandant.service.doctor.patient import Patient
from mandant.tenants.people.agreements import EDITIONS

PART = "agreements"


async def check_agreements(patient: Patient) -> AsyncIterator[Line]:
    """An edition is named by its month."""
    for kind, edition in EDITIONS.items():
        yield about_edition(kind, edition, patient.clock.now().date())


def about_edition(kind: str, edition: str, today: date) -> Line:
    """Nobody can have accepted what is not in force yet."""
    try:
        begins = date.fromisoformat(f"{edition}-01")
    except ValueError:
        return ok(PART, kind, f"edition {edition} is in force")
    if begins > today:
        todo = "is this machine's date right? Else EDITIONS names it too early"
        return wrong(PART, kind, f"edition {edition} lies in the future", todo)
    return ok(PART, kind, f"edition {edition} is in force")
