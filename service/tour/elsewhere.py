"""Two more companies: one with a file that is long enough to be interrupted, one that an export goes to."""

from mandant.service.demo.companies import DemoCompany, Somebody

__all__ = ["HEIR", "NEWCOMER"]

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
HEIR = DemoCompany(
    key="heir",
    name="Traiteur des Alpes Sàrl",
    domain="alpes.example",
    head_count=5,
    language="fr",
    owner=Somebody("Lucie Perrin", "lucie@alpes.example", "Directrice"),
    member=Somebody("Marc Dutoit", "marc@alpes.example", "Cuisine"),
    files=(),
)
