"""A third company: where exports go, and files large enough to be interrupted."""

from mandant.service.demo.companies import DemoCompany, Somebody

__all__ = ["NEWCOMER"]

NEWCOMER = DemoCompany(
    key="newcomer",
    name="Umzug Hinterland AG",
    domain="hinterland.example",
    head_count=3,
    language="de",
    owner=Somebody("Salome Aebi", "salome@hinterland.example", "Inhaberin"),
    member=Somebody("Timo Brand", "timo@hinterland.example", "Disposition"),
    files=(),
)
