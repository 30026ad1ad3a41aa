"""The two companies of the demo: who they are, who signs in, and the files their customers come from."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALPENGLUT", "COMPANIES", "LAC_BLEU", "DemoCompany", "Somebody"]

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person who signs in. Invented; the address ends in .example (RFC 2606)."""

    name: str
    email: str
    function: str


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A company, its owner, one member, and its files in the order they are imported."""

    key: str
    name: str
    domain: str
    head_count: int
    language: str
    owner: Somebody
    member: Somebody
    files: tuple[Path, ...]


ALPENGLUT = DemoCompany(
    key="alpenglut",
    name="Velo Alpenglut GmbH",
    domain="alpenglut.example",
    head_count=9,
    language="de",
    owner=Somebody("Meret Oberholzer", "meret@alpenglut.example", "Geschäftsführerin"),
    member=Somebody("Jonas Wyss", "jonas@alpenglut.example", "Werkstatt"),
    files=(HERE / "alpenglut-outlook.csv", HERE / "alpenglut-telefon.vcf"),
)
LAC_BLEU = DemoCompany(
    key="lac-bleu",
    name="Traiteur Lac Bleu Sàrl",
    domain="lac-bleu.example",
    head_count=14,
    language="fr",
    owner=Somebody("Camille Béguin", "camille@lac-bleu.example", "Directrice"),
    member=Somebody("Nadia Roulet", "nadia@lac-bleu.example", "Cuisine"),
    files=(HERE / "lac-bleu-google.csv", HERE / "lac-bleu-clients.xlsx"),
)
COMPANIES = (ALPENGLUT, LAC_BLEU)
